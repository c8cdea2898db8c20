/* Resolves names as a program linked with musl does: `resolve NAME...` prints "NAME ADDRESS" for the first IPv4 address of
   each, and fails at the first that has none. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char text[INET_ADDRSTRLEN];
    const int error = getaddrinfo(argv[i], NULL, &hints, &found);
    if (error != 0) {
      fprintf(stderr, "%s: %s\n", argv[i], gai_strerror(error));
      return 1;
    }
    inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, sizeof text);
    printf("%s %s\n", argv[i], text);
    freeaddrinfo(found);
  }
  return 0;
}
