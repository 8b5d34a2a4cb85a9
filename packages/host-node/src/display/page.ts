/** The page of `-display web`: a canvas, nothing else to load. Its script speaks to the server beside it. */
export function page(title: string, nonce: string): string {
  const safe = title.replaceAll(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${safe}</title>
<style nonce="${nonce}">
  body { margin: 0; background: #222; color: #ccc; font: 14px/1.4 sans-serif; display: grid; justify-items: center; }
  canvas { background: #000; max-width: 100vw; max-height: calc(100vh - 3em); image-rendering: pixelated; outline: none; }
  canvas:focus-visible { box-shadow: 0 0 0 2px #6af; }
  p { margin: .5em 1em; }
</style>
<h1 hidden>${safe}</h1>
<canvas id="screen" width="640" height="480" tabindex="0" role="application" aria-label="Screen of ${safe}; keys go to the machine while it has the focus"></canvas>
<p id="status" role="status">Connecting</p>
<script nonce="${nonce}">${SCRIPT}</script>
</html>
`;
}

/** Plain JavaScript for the browser. */
const SCRIPT = `
"use strict";
const canvas = document.getElementById("screen");
const context = canvas.getContext("2d");
const status = document.getElementById("status");
const session = crypto.randomUUID();
let queue = [];
let sending = false;
let absolute = false;

async function frames() {
  for (let failures = 0; ; ) {
    try {
      const answer = await fetch("frame?session=" + session, { cache: "no-store" });
      if (answer.status === 410) { status.textContent = "The machine has ended"; return; }
      if (!answer.ok) throw new Error(answer.status);
      failures = 0;
      absolute = answer.headers.get("x-pointer") === "absolute";
      const data = await answer.arrayBuffer();
      if (data.byteLength > 0) draw(data);
      status.textContent = document.activeElement === canvas
        ? "Keys go to the machine. Shift+F6 leaves the screen" + (absolute ? "" : "; click for the mouse, Escape gives it back")
        : "Click the screen to type";
    } catch {
      if (++failures > 20) { status.textContent = "The machine does not answer"; return; }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

function draw(data) {
  const words = new Uint32Array(data);
  const [width, height, count] = words;
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  for (let n = 0, at = 3; n < count; n++) {
    const [x, y, w, h] = words.subarray(at, at + 4);
    context.putImageData(new ImageData(new Uint8ClampedArray(data, (at + 4) * 4, w * h * 4), w, h), x, y);
    at += 4 + w * h;
  }
}

function send(event) {
  queue.push(event);
  if (!sending) void flush();
}
async function flush() {
  sending = true;
  while (queue.length > 0) {
    const body = JSON.stringify(queue.splice(0, 200));
    try { await fetch("input", { method: "POST", headers: { "content-type": "application/json" }, body }); } catch { break; }
  }
  sending = false;
}

const down = new Set();
canvas.addEventListener("keydown", (event) => {
  if (event.shiftKey && event.code === "F6") { canvas.blur(); return; }
  event.preventDefault();
  down.add(event.code);
  send(["key", event.code, true]);
});
canvas.addEventListener("keyup", (event) => {
  event.preventDefault();
  down.delete(event.code);
  send(["key", event.code, false]);
});
canvas.addEventListener("blur", () => {
  for (const code of down) send(["key", code, false]);
  down.clear();
});
canvas.addEventListener("mousemove", (event) => {
  if (absolute) {
    const box = canvas.getBoundingClientRect();
    send(["place", Math.round((event.clientX - box.left) / box.width * 32767), Math.round((event.clientY - box.top) / box.height * 32767)]);
  } else if (document.pointerLockElement === canvas) send(["move", event.movementX, event.movementY]);
});
const button = (isDown) => (event) => {
  event.preventDefault();
  canvas.focus();
  if (isDown && !absolute && document.pointerLockElement !== canvas) { void canvas.requestPointerLock(); return; }
  send(["button", event.button, isDown]);
};
canvas.addEventListener("mousedown", button(true));
canvas.addEventListener("mouseup", button(false));
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("wheel", (event) => { event.preventDefault(); send(["wheel", Math.sign(event.deltaY)]); }, { passive: false });
canvas.focus();
void frames();
`;
