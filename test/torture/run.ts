/**
 * `npm run torture`: the torture tests at length.
 *
 *     npm run torture -- --minutes 10            all of them, ten minutes in all
 *     npm run torture -- --seed 7 Processes      one of them, with the choices of seed 7
 */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string", default: "10" }, seed: { type: "string" } }
})

const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new RangeError(`--minutes ${values.minutes}: expected a number above 0`)

const directory = fileURLToPath(new URL(".", import.meta.url))
const parts = readdirSync(directory).filter(
  name => name.endsWith(".torture.ts") && (positionals.length === 0 || positionals.some(word => name.includes(word)))
)
if (parts.length === 0) throw new RangeError(`no torture test is called ${positionals.join(" or ")}`)

const { status } = spawnSync(
  "npx",
  ["vitest", "run", "--project", "system", ...parts.map(name => `test/torture/${name}`)],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      BD_TORTURE_SECONDS: String(Math.ceil((minutes * 60) / parts.length)),
      ...(values.seed === undefined ? {} : { BD_TORTURE_SEED: values.seed })
    }
  }
)
process.exitCode = status ?? 1
