// Preloaded into a traced program: the first calls of its pool thread, so that their ordinals are past the main thread's.
const fs = require("node:fs")
const { tmpdir } = require("node:os")

const ignore = () => {}
const times = 200
const nothing = fs.openSync("/dev/null", "r")
const file = `${tmpdir()}/padding-${process.pid}`
const written = fs.openSync(file, "wx")
fs.unlinkSync(file)
for (let count = 0; count < times; count++) {
  fs.open("/dev/null", "r", ignore)
  fs.fsync(nothing, ignore)
  fs.read(nothing, Buffer.alloc(1), 0, 1, 0, ignore)
  // an operation on a descriptor that was never opened is a call as well
  fs.close(1_000_000 + count, ignore)
  // and so is one that cannot be done
  fs.mkdir("/dev/null/none", ignore)
  fs.rename("/dev/null/none", "/dev/null/any", ignore)
  fs.unlink("/dev/null/none", ignore)
  fs.write(written, "x", ignore)
}
// How often the pool wakes the loop by a write depends on what the loop does meanwhile: it stands still until all is done.
while (fs.fstatSync(written).size < times) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
