    .section .rodata
    .global devstack_hello_program
    .global devstack_hello_program_end
devstack_hello_program:
    .incbin HELLO_PROGRAM
devstack_hello_program_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
