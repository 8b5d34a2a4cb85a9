# Behind the image: variables that begin as zero, the stack, and room for tests and requests.
.balign 16
image_end:
variables = image_end
tree = variables
uart = tree + WORD
uart_irq = uart + WORD
plic = uart_irq + WORD
test = plic + WORD
mtime = test + WORD
mtimecmp = mtime + WORD
frequency = mtimecmp + WORD
ticks = frequency + WORD
argument = ticks + WORD
virtio_count = argument + WORD
virtio = virtio_count + WORD
memory = virtio + VIRTIO_MOST * WORD
node = memory + 16
cells = node + NODE_SIZE
line = cells + 2 * (DEEPEST + 3)
variables_end = (line + LINE_SIZE + 15) & ~15
stack_top = variables_end + 8192
arena = (stack_top + 4095) & ~4095
