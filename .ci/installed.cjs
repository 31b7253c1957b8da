// Exits 0 if node_modules holds what package-lock.json says and its native add-on loads on this Node.
const fs = require("node:fs")

const packagesOf = path => JSON.parse(fs.readFileSync(path, "utf8")).packages
try {
  const wanted = packagesOf("package-lock.json")
  const present = packagesOf("node_modules/.package-lock.json")
  const missing = Object.keys(wanted).filter(
    name => name !== "" && !wanted[name].optional && wanted[name].version !== present[name]?.version
  )
  if (missing.length > 0) throw new Error(`not as locked: ${missing.join(", ")}`)
  const Database = require("../node_modules/better-sqlite3")
  new Database(":memory:").close()
} catch (error) {
  console.log(`node_modules: ${error.message.split("\n")[0]}; installing`)
  process.exitCode = 1
}
