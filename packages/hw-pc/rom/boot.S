# Option ROM that starts a kernel given to the machine: Linux by its 16-bit entry, multiboot and PVH kernels in protected mode.
#
# Sources: BIOS Boot Specification 1.01 (1996), chapter 3 and appendix A (bootstrap entry vector); Plug and Play BIOS Specification
# 1.0A (1994), 3 (expansion header); QEMU, docs/specs/fw_cfg (configuration items and DMA); Linux, Documentation/arch/x86/boot.rst;
# Multiboot Specification 0.6.96, 3.2; Xen, docs/misc/pvh.pandoc; ACPI 6.4, 15.1 (INT 15h, E820h).

        .set    FW_SELECT, 0x510
        .set    FW_DATA, 0x511
        .set    FW_DMA_HIGH, 0x514
        .set    FW_DMA_LOW, 0x518
        .set    DMA_READ_SELECTED, 0x0a

        .set    KERNEL_ADDRESS, 0x07
        .set    KERNEL_SIZE, 0x08
        .set    INITRD_ADDRESS, 0x0a
        .set    INITRD_SIZE, 0x0b
        .set    KERNEL_ENTRY, 0x10
        .set    KERNEL_DATA, 0x11
        .set    INITRD_DATA, 0x12
        .set    CMDLINE_ADDRESS, 0x13
        .set    CMDLINE_SIZE, 0x14
        .set    CMDLINE_DATA, 0x15
        .set    SETUP_ADDRESS, 0x16
        .set    SETUP_SIZE, 0x17
        .set    SETUP_DATA, 0x18

        # The memory map for kernels in protected mode: a segment and its linear address.
        .set    MAP_SEGMENT, 0x8000
        .set    MAP_MAX, 128

        .text
        .code16
        .globl  _start
_start:
        .byte   0x55, 0xaa
        .byte   (_end - _start + 511) / 512
        jmp     init

        # What follows is at fixed places: the board sets it.
        .org    0x08
mode:   .byte   0               # 0 Linux, 1 multiboot, 2 PVH
        .org    0x18
        .word   0               # no PCI data structure
        .word   pnp

        .balign 16
pnp:    .ascii  "$PnP"
        .byte   1               # revision
        .byte   2               # length, 16-byte units
        .word   0               # no other header
        .byte   0
        .byte   0               # checksum of the header, set when it is assembled
        .long   0
        .word   maker
        .word   product
        .byte   0x02, 0x00, 0x00        # a controller of nothing in particular
        .byte   0x64            # may be read-only and shadowed; initial program load device
        .word   0               # no boot connection vector
        .word   0
        .word   start           # bootstrap entry vector
        .word   0
        .word   0

maker:  .asciz  "Mimus"
product: .asciz "Kernel"

init:   movw    $0x20, %ax      # an initial program load device is attached
        lret

# Reads the 32-bit item %ax into %eax. Changes %dx.
item:   movw    $FW_SELECT, %dx
        outw    %ax, %dx
        movw    $FW_DATA, %dx
        pushw   %cx
        movw    $4, %cx
1:      inb     %dx, %al
        rorl    $8, %eax
        loop    1b
        popw    %cx
        ret

# Reads a data item into memory: %si its key, %bx the key of its address, %cx the key of its size. Changes %eax, %edx, %edi.
load:   movw    %cx, %ax
        call    item
        testl   %eax, %eax
        jz      2f
        movl    %eax, %edi
        movw    %bx, %ax
        call    item
        bswapl  %eax
        pushl   %eax            # address, low half
        pushl   $0
        bswapl  %edi
        pushl   %edi            # length
        movzwl  %si, %eax
        shll    $16, %eax
        orl     $DMA_READ_SELECTED, %eax
        bswapl  %eax
        pushl   %eax            # control
        xorl    %eax, %eax
        movw    $FW_DMA_HIGH, %dx
        outl    %eax, %dx
        movw    %ss, %ax
        shll    $4, %eax
        movzwl  %sp, %edx
        addl    %edx, %eax
        bswapl  %eax
        movw    $FW_DMA_LOW, %dx
        outl    %eax, %dx
        movw    %sp, %bp
1:      movl    (%bp), %eax     # done when all bits are clear, failed when only "error" is set
        bswapl  %eax
        andl    $~1, %eax
        jnz     1b
        addw    $16, %sp
2:      ret

start:  cli
        cld
        # The stack ends where the command line begins, in the segment of the setup code.
        movw    $CMDLINE_ADDRESS, %ax
        call    item
        movl    %eax, %ecx
        movw    $SETUP_ADDRESS, %ax
        call    item
        subl    %eax, %ecx
        shrl    $4, %eax
        movw    %ax, %ss
        leaw    -16(%ecx), %cx
        movzwl  %cx, %esp

        movw    $SETUP_DATA, %si
        movw    $SETUP_ADDRESS, %bx
        movw    $SETUP_SIZE, %cx
        call    load
        movw    $CMDLINE_DATA, %si
        movw    $CMDLINE_ADDRESS, %bx
        movw    $CMDLINE_SIZE, %cx
        call    load
        movw    $KERNEL_DATA, %si
        movw    $KERNEL_ADDRESS, %bx
        movw    $KERNEL_SIZE, %cx
        call    load
        movw    $INITRD_DATA, %si
        movw    $INITRD_ADDRESS, %bx
        movw    $INITRD_SIZE, %cx
        call    load
        cmpb    $0, %cs:mode
        jne     protected

# Linux: all segments are that of the setup code, whose entry is 512 bytes behind its start.
        movw    %ss, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        addw    $0x20, %ax
        pushw   %ax
        pushw   $0
        xorl    %eax, %eax
        xorl    %ebx, %ebx
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        lret

# Multiboot and PVH: the setup item is the kernel's information, and gets the memory map.
protected:
        movw    $MAP_SEGMENT, %ax
        movw    %ax, %es
        xorw    %di, %di
        cmpb    $1, %cs:mode
        jne     1f
        movw    $4, %di         # multiboot: each entry begins with its size
1:      xorl    %ebx, %ebx
        xorw    %si, %si        # entries
2:      movl    $0xe820, %eax
        movl    $20, %ecx
        movl    $0x534d4150, %edx
        pushw   %si
        int     $0x15
        popw    %si
        jc      3f
        cmpl    $0x534d4150, %eax
        jne     3f
        cmpb    $1, %cs:mode
        jne     4f
        movl    $20, %es:-4(%di)
        jmp     5f
4:      movl    $0, %es:20(%di)
5:      incw    %si
        addw    $24, %di
        testl   %ebx, %ebx
        jz      3f
        cmpw    $MAP_MAX, %si
        jb      2b
3:      cli
        # Number of entries, and bytes, into the information at the start of the stack's segment.
        movzwl  %si, %ecx
        cmpb    $1, %cs:mode
        jne     6f
        imull   $24, %ecx, %ecx
        movl    %ecx, %ss:44
        movl    $MAP_SEGMENT * 16, %ss:48
        jmp     7f
6:      movl    %ecx, %ss:48
        movl    $MAP_SEGMENT * 16, %ss:40
        movl    $0, %ss:44
7:      movw    $KERNEL_ENTRY, %ax
        call    item
        movl    %eax, %esi
        movw    %ss, %ax
        movzwl  %ax, %ebx
        shll    $4, %ebx        # the information
        # A descriptor table in this ROM: its base is known only now.
        movw    %cs, %ax
        movzwl  %ax, %edi
        shll    $4, %edi
        leal    gdt(%edi), %eax
        pushl   %eax
        pushw   $(gdt_end - gdt - 1)
        movw    %sp, %bp
        lgdtl   (%bp)
        leal    flat(%edi), %eax
        pushl   $8
        pushl   %eax
        movw    %sp, %bp
        movb    %cs:mode, %cl
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   *(%bp)

        .code32
flat:   movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        xorl    %eax, %eax
        cmpb    $1, %cl
        jne     1f
        movl    $0x2badb002, %eax
1:      xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        leal    0xfff0(%ebx), %esp
        jmp     *%esi

        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      # code, 4 GiB
        .quad   0x00cf93000000ffff      # data, 4 GiB
gdt_end:

        .balign 4
_end:
