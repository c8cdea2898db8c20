#include "core/template/evaluate.h"

#include <gmock/gmock.h>

#include "tests/unit/template/world.h"

namespace devstack::templates {
namespace {

using registry::Watch;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Case {
  std::string text, result;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.text; }

test::World sample() {
  test::World world;
  world.set("app/a", "1");
  world.set("app/b/c", "2");
  world.set("app/b/d", "3");
  world.set("app/dir/", "");
  world.set("apple", "9");
  world.set("empty", "");
  world.set("json", R"({"html":"<a&b>","n":10000000,"x":[1,2.5,"s",true,null]})");
  world.add_service("web2", "web", "10.0.0.2", 81, {"z", "Traefik.x=y", "a"});
  world.add_service("web10", "web", "10.0.0.10", 82, {"b"}, {}, "warning");
  world.add_service("web1", "web", "10.0.0.1", 80, {"b"});
  world.environment = {{"SET", "value"}, {"EMPTY", ""}};
  return world;
}

class Language : public testing::TestWithParam<Case> {};
TEST_P(Language, RendersAsGoDoes) {
  static const test::World world = sample();
  EXPECT_EQ(world.render(GetParam().text), GetParam().result);
}

const Case kSyntax[] = {
    {"", ""},
    {"plain }} text", "plain }} text"},
    {"a {{- 1 -}} b\n{{- \"x\" }} {{/* c */ -}}   y", "a1bx y"},
    {"{{-3}}", "-3"},
    {"a{{- /* c\nd */ -}} b", "ab"},
    {"{{ `raw \\n` }}{{ \"\\u00e9\\x41\\t|\" }}",
     "raw \\né"
     "A\t|"},
    {"{{ 'a' }} {{ 0x10 }} {{ 0o17 }} {{ 0b11 }} {{ 1_000 }} {{ 1e3 }} {{ 1.50 }}", "97 16 15 3 1000 1000 1.5"},
    {"{{ true }} {{ . }} {{ .Foo.Bar }} {{ $ }}", "true <no value> <no value> <no value>"},
    {"{{ \"a\" | printf \"%s-%s\" \"b\" }}", "b-a"},
    {"{{ printf \"%d\" (len (print \"abc\")) }}", "3"},
    {"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}{{ if true }}{{ $x = 3 }}{{ end }}{{ $x }}", "13"},
    {"{{ if 0 }}a{{ else if \"\" }}b{{ else if 1 }}c{{ else }}d{{ end }}", "c"},
    {"{{ with \"v\" }}{{ . }}{{ else }}no{{ end }}{{ with \"\" }}x{{ else }}no{{ end }}", "vno"},
    {"{{ with \"\" }}x{{ else with \"w\" }}{{ . }}{{ end }}", "w"},
    {"{{ range loop 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}",
     "02"},
    {"{{ range $i, $e := split \",\" \"a,b\" }}{{ $i }}{{ $e }}{{ end }}", "0a1b"},
    {"{{ range $e := loop 2 }}{{ $e }}{{ . }}{{ end }}", "0011"},
    {"{{ range loop 0 }}x{{ else }}none{{ end }}", "none"},
    {"{{ define \"t\" }}<{{ . }}>{{ end }}{{ template \"t\" 1 }}{{ template \"t\" }}", "<1><<no value>>"},
    {"{{ block \"b\" 5 }}[{{ . }}]{{ end }}{{ template \"b\" 6 }}", "[5][6]"},
    {"{{ template \"later\" }}{{ define \"later\" }}ok{{ end }}", "ok"},
    {"{{ (\"{\\\"a\\\":{\\\"b\\\":7}}\" | parseJSON).a.b }}", "7"},
};
INSTANTIATE_TEST_SUITE_P(Syntax, Language, testing::ValuesIn(kSyntax));

const Case kBuiltins[] = {
    {"{{ and 1 0 2 }} {{ and 1 2 }} {{ or 0 \"\" 3 }} {{ or 0 \"\" }}| {{ not 0 }}", "0 2 3 | true"},
    {"{{ or true (index (loop 1) 5) }}", "true"},
    {"{{ eq 1 2 1 }} {{ eq \"a\" \"a\" }} {{ lt \"B\" \"a\" }} {{ ge 2 2 }}", "true true true true"},
    {"{{ eq 1 (\"1\" | parseUint) }}", "true"},
    {"{{ len \"é\" }} {{ index (split \",\" \"a,b\") 1 }} {{ slice \"abc\" 1 }}", "2 b bc"},
    {"{{ print 1 2 \"a\" \"b\" 3 4 }}|{{ println 1 \"a\" }}", "1 2ab3 4|1 a\n"},
    {"{{ printf \"%05d|%-5s|%q|%x|%v|%t|%6.2f|%%\" 42 \"ab\" \"q\\\"\" 255 (split \",\" \"a,b\") true 3.14159 }}",
     "00042|ab   |\"q\\\"\"|ff|[a b]|true|  3.14|%"},
    {"{{ printf \"%d %d\" \"x\" }} {{ printf \"%d\" 1 2 }} {{ printf \"%z\" 1 }}",
     "%!d(string=x) %!d(MISSING) 1%!(EXTRA int=2) %!z(int=1)"},
    {"{{ printf \"%+d %x %X %o %b %c %U %e %*d %q\" 5 \"hi\" 255 8 5 65 65 1.5 4 7 (split \",\" \"a,b\") }}",
     "+5 6869 FF 10 101 A U+0041 1.500000e+00    7 [\"a\" \"b\"]"},
    {"{{ parseFloat \"100000\" }} {{ parseFloat \"1000000\" }} {{ parseFloat \"1234567\" }} {{ parseFloat \"0.00015\" "
     "}} "
     "{{ parseFloat \"0.00001\" }}",
     "100000 1e+06 1.234567e+06 0.00015 1e-05"},
    {"{{ html \"<a>&\" }} {{ urlquery \"a b&\" }}", "&lt;a&gt;&amp; a+b%26"},
};
INSTANTIATE_TEST_SUITE_P(Builtins, Language, testing::ValuesIn(kBuiltins));

const Case kRegistry[] = {
    {"{{ key \"app/a\" }} {{ key \"/app/a\" }} {{ key \"empty\" }}|{{ key \"\" }}|", "1 1 ||"},
    {"{{ key \"nope\" }}", "MISSING key \"nope\""},
    {"{{ key \"nope\" }}{{ index (loop 1) 7 }}", "MISSING key \"nope\""},
    {"{{ key \"app/a@dc2\" }}", "MISSING key \"app/a@dc2\""},
    {"{{ keyExists \"empty\" }} {{ keyExists \"nope\" }}", "true false"},
    {"{{ keyOrDefault \"empty\" \"d\" }} {{ keyOrDefault \"nope\" \"d\" }} {{ keyOrDefault \"app/a\" \"d\" }}",
     "d d 1"},
    {"{{ range ls \"app\" }}{{ .Key }}={{ .Value }} {{ end }}", "a=1 le=9 "},
    {"{{ range ls \"app/\" }}{{ .Key }} {{ end }}", "a "},
    {"{{ range tree \"app\" }}{{ .Path }}|{{ .Key }}={{ .Value }} {{ end }}",
     "app/a|a=1 app/b/c|b/c=2 app/b/d|b/d=3 apple|le=9 "},
    {"{{ range safeTree \"zzz\" }}{{ end }}", "MISSING safeTree \"zzz\""},
    {"{{ range service \"web\" }}{{.ID}} {{.Address}}:{{.Port}} {{.Tags}} {{.Tags | join \",\"}};{{end}}",
     "web1 10.0.0.1:80 [b] b;web2 10.0.0.2:81 [Traefik.x=y a z] Traefik.x=y,a,z;"},
    {"{{range $i,$e := service \"web|any\"}}{{if $i}}, {{end}}{{$i}}:{{$e.ID}}{{end}}", "0:web1, 1:web10, 2:web2"},
    {"{{range service \"web\" \"warning\"}}{{.ID}}={{.Status}}{{end}}", "web10=warning"},
    {"{{range service \"B.web|passing,warning@dc1\"}}{{.ID}} {{end}}",
     "ERROR t.ctmpl:1:9: executing at <service>: error calling service: health.service: invalid filter: "
     "\"warning@dc1\""},
    {"{{range service \"B.web@dc1|passing,warning\"}}{{.ID}} {{end}}", "web1 web10 "},
    {"{{range service \"traefik.X=y.web\"}}{{.ID}}{{end}}", "web2"},
    {"{{range service \"\"}}x{{else}}empty{{end}}", "empty"},
    {"{{range $t,$s := service \"web|any\" | byTag}}{{$t}}:{{range $s}}{{.ID}},{{end}} {{end}}",
     "Traefik.x=y:web2, a:web2, b:web1,web10, z:web2, "},
    {"{{range services}}{{.Name}}{{.Tags}} {{end}}", "consul[] web[Traefik.x=y a b z] "},
    {"{{with node}}{{.Node.Node}} {{range .Services}}{{.ID}} {{end}}{{end}}", "node1 consul web1 web10 web2 "},
    {"{{with node \"other\"}}{{if .Node}}yes{{else}}no{{end}}{{end}}", "no"},
    {"{{with $d := key \"json\" | parseJSON}}{{$d.x}} {{$d.n}} {{$d.missing}} {{$d | toJSON}}{{end}}",
     "[1 2.5 s true <nil>] 1e+07 <no value> "
     "{\"html\":\"\\u003ca\\u0026b\\u003e\",\"n\":10000000,\"x\":[1,2.5,\"s\",true,null]}"},
    {"{{ range $k, $m := tree \"app/\" | byKey }}{{ $k }}:{{ range $n, $p := $m }}{{ $n }}={{ $p.Value }} {{ end }}{{ "
     "end }}",
     "b:c=2 d=3 "},
};
INSTANTIATE_TEST_SUITE_P(Registry, Language, testing::ValuesIn(kRegistry));

const Case kFunctions[] = {
    {"{{ env \"SET\" }} {{ env \"NONE\" }}|{{ envOrDefault \"EMPTY\" \"d\" }}|{{ envOrDefault \"NONE\" \"d\" }}",
     "value ||d"},
    {"{{ add 1 2 }} {{ subtract 2 5 }} {{ multiply 2 3 }} {{ divide 2 9 }} {{ modulo 2 9 }} {{ add 1.5 1 }}",
     "3 3 6 4 1 2.5"},
    {"{{ split \",\" \"\" | len }} {{ split \",\" \" a,b \" | join \"+\" }}", "0 a+b"},
    {"{{ parseInt \"\" }} {{ parseBool \"\" }} {{ \"\" | parseJSON }}", "0 false map[]"},
    {"{{ \"foo bar\" | regexReplaceAll \"(o+) (?P<x>b)\" \"$1-${x}\" }} {{ \"abc\" | regexMatch \"b\" }}",
     "foo-bar true"},
    {"{{ range loop 2 4 }}{{ . }}{{ end }}{{ range loop \"2\" }}{{ . }}{{ end }}", "2301"},
    {"{{ timestamp }} {{ timestamp \"unix\" }} {{ timestamp \"Jan 2006\" }}",
     "2023-11-14T22:13:20Z 1700000000 Nov 2023"},
    {"{{ (tree \"app/\" | explode).b.c }}", "2"},
    {"{{ in \"abc\" \"b\" }} {{ contains 2 (loop 3) }} {{ containsAll (split \",\" \"a,b\") (split \",\" \"b,a\") }}",
     "true true true"},
    {"{{ \"xxax\" | trim \"x\" }} {{ \"prefix-a\" | trimPrefix \"prefix-\" }}", "a a"},
};
INSTANTIATE_TEST_SUITE_P(Functions, Language, testing::ValuesIn(kFunctions));

const Case kErrors[] = {
    {"a\n  {{ nosuch 1 }}", "ERROR t.ctmpl:2:6: function \"nosuch\" not defined"},
    {"{{ servce \"web\" }}", "ERROR t.ctmpl:1:4: function \"servce\" not defined; did you mean \"service\"?"},
    {"{{ secret \"a\" }}",
     "ERROR t.ctmpl:1:4: function \"secret\" is not supported: there is no Vault and no Nomad here"},
    {"{{ if }}x{{ end }}", "ERROR t.ctmpl:1:7: missing value for if"},
    {"{{ if true }}x", "ERROR t.ctmpl:1:1: unexpected EOF: {{if}} has no {{end}}"},
    {"x{{ end }}", "ERROR t.ctmpl:1:2: unexpected {{end}}"},
    {"{{ 1 ", "ERROR t.ctmpl:1:1: unclosed action"},
    {"{{ \"a }}", "ERROR t.ctmpl:1:4: unterminated quoted string"},
    {"{{ (1 }}", "ERROR t.ctmpl:1:7: unclosed left paren"},
    {"{{ $x }}", "ERROR t.ctmpl:1:4: undefined variable \"$x\""},
    {"{{ nil }}", "ERROR t.ctmpl:1:4: nil is not a command"},
    {"{{ 1 | 2 }}", "ERROR t.ctmpl:1:8: non executable command in pipeline stage 2"},
    {"{{ break }}", "ERROR t.ctmpl:1:4: {{break}} outside {{range}}"},
    {"{{ define \"a\" }}{{ end }}{{ define \"a\" }}{{ end }}",
     "ERROR t.ctmpl:1:26: template: multiple definition of template \"a\""},
    {"{{ index (service \"none\") 0 }}",
     "ERROR t.ctmpl:1:4: executing at <index>: error calling index: index out of range: 0"},
    {"{{ eq 1 1.0 }}", "ERROR t.ctmpl:1:4: executing at <eq>: error calling eq: incompatible types for comparison"},
    {"{{ divide 0 1 }}",
     "ERROR t.ctmpl:1:4: executing at <divide>: error calling divide: runtime error: integer divide by zero"},
    {"{{ range service \"web\" }}{{ .Nope }}{{ end }}",
     "ERROR t.ctmpl:1:29: executing at <.Nope>: can't evaluate field Nope in type *dependency.HealthService"},
    {"{{ with \"{}\" | parseJSON }}x{{ end }}{{ (\"{\\\"a\\\":null}\" | parseJSON).b.c }}",
     "ERROR t.ctmpl:1:41: executing at <(\"{\\\"a\\\":null}\" | parseJSON).b.c>: nil pointer evaluating interface "
     "{}.c"},
    {"{{ template \"none\" }}",
     "ERROR t.ctmpl:1:1: executing at <{{ template \"none\">: template \"none\" not defined"},
    {"{{ service \"a/b\" }}",
     "ERROR t.ctmpl:1:4: executing at <service>: error calling service: health.service: invalid format: \"a/b\""},
    {"{{ key }}", "ERROR t.ctmpl:1:4: executing at <key>: wrong number of args for key: want 1 got 0"},
};
INSTANTIATE_TEST_SUITE_P(Errors, Language, testing::ValuesIn(kErrors));

TEST(Evaluate, TellsExactlyWhatItLookedAt) {
  const auto world = sample();
  const auto used =
      world.evaluate_text("{{ key \"app/a\" }}{{ range service \"web\" }}{{ end }}{{ range tree \"t\" }}{{ end }}")
          .used;
  EXPECT_THAT(used,
              testing::UnorderedElementsAre(Watch{Watch::Table::kv_key, "app/a"}, Watch{Watch::Table::service, "web"},
                                            Watch{Watch::Table::kv_prefix, "t"}));
  EXPECT_THAT(world.evaluate_text("no question").used, IsEmpty());
  EXPECT_THAT(world.evaluate_text("{{ if keyExists \"nope\" }}{{ key \"x\" }}{{ end }}").used,
              ElementsAre(Watch{Watch::Table::kv_key, "nope"}));
}

TEST(Evaluate, ReportsWhatItUsedEvenWhenItFails) {
  const auto result = sample().evaluate_text("{{ index (service \"none\") 0 }}");
  EXPECT_TRUE(result.error);
  EXPECT_THAT(result.used, ElementsAre(Watch{Watch::Table::service, "none"}));
}

TEST(Evaluate, RecursionAndLoopsEnd) {
  EXPECT_NE(sample()
                .render("{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}")
                .find("exceeded maximum template depth"),
            std::string::npos);
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "{{ if 1 }}";
  EXPECT_NE(sample().render(deep).find("nested deeper"), std::string::npos);
}

TEST(Evaluate, CostsABoundedAmount) {
  const auto error_of = [](const std::string& text) {
    const auto world = sample();
    auto inputs = world.inputs();
    inputs.limits = {.steps = 10'000, .bytes = 64U << 10U};
    const auto parsed = parse(text, "t.ctmpl");
    if (!parsed) return parsed.error().message;
    const auto result = evaluate(**parsed, inputs);
    return result.error ? result.error->message : "no error";
  };
  EXPECT_THAT(error_of("{{ range loop 1000 }}{{ range loop 1000 }}{{ end }}{{ end }}"), HasSubstr("does not end"));
  EXPECT_THAT(error_of("{{ $x := `aaaa` }}{{ range loop 60 }}{{ $x = print $x $x }}{{ end }}"), HasSubstr("larger"));
  EXPECT_THAT(error_of("{{ $x := print (loop 999) }}{{ replaceAll ` ` $x $x }}"), HasSubstr("larger"));
  EXPECT_THAT(error_of("{{ $x := print (loop 999) }}{{ regexReplaceAll `.` $x $x }}"), HasSubstr("larger"));
  EXPECT_THAT(error_of("{{ printf `%9999d%9999d%9999d%9999d%9999d%9999d%9999d` 1 1 1 1 1 1 1 }}"), HasSubstr("larger"));
  const std::string twice =
      "{{ scratch.MapSet `m` `a` (scratch.Get `m`) }}{{ scratch.MapSet `m` `b` (scratch.Get `m`) }}";
  EXPECT_THAT(error_of("{{ range loop 60 }}" + twice + "{{ end }}"), HasSubstr("larger"));
  EXPECT_THAT(error_of("{{ range loop 900 }}{{ scratch.MapSet `m` `a` (scratch.Get `m`) }}{{ end }}"),
              HasSubstr("nested deeper"));
}

TEST(Evaluate, ManyBlocksInManyCallsLeaveRoomOnTheStack) {
  std::string text = "{{ define \"r\" }}";
  for (int i = 0; i < 45; ++i) text += "{{ if 1 }}";
  text += "{{ template \"r\" }}";
  for (int i = 0; i < 45; ++i) text += "{{ end }}";
  text += "{{ end }}{{ template \"r\" }}";
  EXPECT_THAT(sample().render(text), HasSubstr("exceeded maximum template depth"));
}

TEST(Evaluate, ACharacterConstantIsOneCharacter) {
  EXPECT_EQ(sample().render("{{ 'a' }}{{ 'é' }}"), "97233");
  EXPECT_THAT(sample().render("{{ 'é" + std::string(40, 'a') + "' }}"), HasSubstr("malformed character constant"));
}

}  // namespace
}  // namespace devstack::templates
