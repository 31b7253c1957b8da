// Makes the code cache for the Node of this machine. A clone has nothing built yet: its build makes the cache.
const { existsSync } = require("node:fs")
const path = require("node:path")

const makeCache = path.join(__dirname, "../dist/bin/makeCache.cjs")
try {
  if (existsSync(makeCache)) require(makeCache)
} catch (error) {
  console.warn(`bd starts slower than it could, its code cache was not made: ${error.message}`)
}
