// Preloaded into a traced program: the first calls of its pool thread, so that their ordinals are past the main thread's.
const fs = require("node:fs")

const ignore = () => {}
const nothing = fs.openSync("/dev/null", "r")
for (let count = 0; count < 200; count++) {
  fs.open("/dev/null", "r", ignore)
  fs.fsync(nothing, ignore)
  fs.read(nothing, Buffer.alloc(1), 0, 1, 0, ignore)
  // an operation on a descriptor that was never opened is a call as well
  fs.close(1_000_000 + count, ignore)
  // and so is one that cannot be done
  fs.mkdir("/dev/null/none", ignore)
  fs.rename("/dev/null/none", "/dev/null/any", ignore)
  fs.unlink("/dev/null/none", ignore)
}
