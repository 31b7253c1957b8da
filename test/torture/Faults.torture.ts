/**
 * Faults at random (G20, G29): system calls of every mutating command that fail, writes cut short, a holder of the lock
 * that is stopped and goes on or is killed, a clock that jumps between any two looks at it, files of any time stamps.
 * After each: what was acknowledged is there, what failed is not or is as told, nothing is torn. Each fault is shown to
 * have happened. A full disk, permissions and locks past their timeout are in test/system/Faults.test.ts.
 */
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import {
  bd,
  bdCommand,
  copyOf,
  type Ended,
  issues,
  listed,
  ok,
  type Repository,
  repository,
  run,
  type Shown,
  scratch,
  start,
  strace
} from "../system/bd.ts"
import { type Prepared, pointsOf, prepared, recovers } from "../system/crashing.ts"
import { until } from "../system/git.ts"
import { describePoint, injection, type KillPoint } from "../system/killing.ts"
import { milliseconds, type Random, randomOf, seed } from "./budget.ts"
import { commands, template } from "./commands.ts"

/** Runs `attempt` until the time is up, and at least so often; what it threw, with its number. */
const again = async (short: number, atLeast: number, attempt: (random: Random) => Promise<void>) => {
  const problems: Array<string> = []
  const begun = performance.now()
  let n = 0
  for (; n < atLeast || performance.now() - begun < milliseconds(short) / 4; n++) {
    try {
      await attempt(randomOf(seed + n * 7919))
    } catch (problem) {
      problems.push(`attempt ${n}: ${problem instanceof Error ? problem.stack : String(problem)}`)
      if (problems.length > 4) break
    }
  }
  return { n, problems }
}

/** A fault is told without a look inside the program, and with one of the codes for it. */
const expectTold = ({ exitCode, signal, stderr, stdout }: Ended, words: ReadonlyArray<string>) => {
  expect([0, 6, 7, 8], `${exitCode ?? signal}: ${stderr}`).toContain(exitCode)
  expect(stderr).not.toMatch(/internal error|defect|\n\s+at |undefined|\[object/i)
  if (exitCode === 0) return
  expect(stderr).toContain("Error: ")
  if (words.includes("--json")) expect(JSON.parse(stdout)).toMatchObject({ error: { message: expect.any(String) } })
}

/** By exit code: 0 and 7 promise the change, 6 and 8 that there is none. */
const expectTrue = async (scenario: Prepared, place: Repository, { exitCode }: Ended) => {
  const isDone = await recovers(scenario, place, exitCode === 0)
  expect(isDone, `exit ${exitCode}`).toBe(exitCode === 0 || exitCode === 7)
}

const scenarios = new Map<string, { readonly scenario: Prepared; readonly points: ReadonlyArray<KillPoint> }>()
let project: Repository | undefined

const scenarioOf = async (name: string) => {
  project ??= await template()
  const { stdin = "", words = [] } = commands[name] ?? {}
  const known = scenarios.get(name)
  if (known !== undefined) return { ...known, stdin, words }
  const scenario = await prepared({ template: project, command: bdCommand(...words), stdin })
  const made = { scenario, points: await pointsOf(scenario) }
  scenarios.set(name, made)
  return { ...made, stdin, words }
}

/** Few commands in the short form: to find the calls of one takes as long as several faults. */
const names = (random: Random) => {
  const all = Object.keys(commands)
  return milliseconds(0) === 0 ? random.pick(["create", "update", "delete"]) : random.pick(all)
}

const failing = new Set(["pwrite64", "write", "fsync", "ftruncate", "openat", "link", "rename", "fchmod", "utimensat"])
const errors = ["EIO", "ENOSPC", "EDQUOT", "EACCES", "EROFS", "EMFILE"]

it(
  "G29: calls of every mutating command that fail, once or from then on",
  async () => {
    const exits: Record<string, number> = {}
    const calls = new Set<string>()
    let missed = 0
    const { n, problems } = await again(16_000, 6, async random => {
      const name = names(random)
      const { points, scenario, stdin, words } = await scenarioOf(name)
      // a setting that cannot be kept is told by exit 1
      const isIssues = ({ call }: KillPoint) => call.includes("/.beads") && !call.includes("config.yaml")
      const point = random.pick(points.filter(each => failing.has(each.name) && isIssues(each)))
      const error = random.pick(errors)
      const times = point.name === "write" || random.below(2) === 0 ? "once" : "onwards"
      const place = copyOf(scenario.template)
      const { env, options } = injection(point, `error=${error}`, times)
      const ended = await strace(options, scenario.command, { cwd: place.directory, env, stdin })
      if (!ended.log.includes("(INJECTED)")) {
        missed++
        throw new Error(`no fault: bd ${name}, ${describePoint(point)}`)
      }
      calls.add(`${name} ${point.name} ${point.ordinal}`)
      exits[String(ended.exitCode)] = (exits[String(ended.exitCode)] ?? 0) + 1
      try {
        expectTold(ended, words)
        await expectTrue(scenario, place, ended)
      } catch (problem) {
        throw new Error(`bd ${name}, ${error} ${times} at ${describePoint(point)}: ${String(problem)}\n${ended.stderr}`)
      }
    })
    console.log(
      `seed ${seed}: ${n} faults at ${calls.size} calls of ${scenarios.size} commands; by exit code ${JSON.stringify(exits)}`
    )
    expect(problems).toEqual([])
    expect(missed).toBe(0)
    expect(Object.keys(exits).length).toBeGreaterThan(1)
  },
  milliseconds(16_000) + 240_000
)

it(
  "G12, G29: writes cut short by a limit on the size of files",
  async () => {
    let short = 0
    let refused = 0
    const exits: Record<string, number> = {}
    const before = ["one", "two"]
    const base = await repository(before)
    // an issue file longer than the store, so that the limit meets it first
    const update = bdCommand("update", issues(base)[0]?.id ?? "", "--notes", "-")
    ok(await run(update, { cwd: base.directory, stdin: "n".repeat(400_000) }))
    const { n, problems } = await again(16_000, 4, async random => {
      const place = copyOf(base)
      const size = statSync(place.issueFile).size
      const limit = random.below(8) === 0 ? random.below(size) : size - random.below(60_000) + 2_000
      const ended = await strace(
        ["-f", "-y", "-s", "16", "-e", "trace=write,pwrite64,writev,pwritev"],
        ["prlimit", `--fsize=${limit}`, ...bdCommand("create", "new", "--json")],
        { cwd: place.directory }
      )
      const writes = [
        ...ended.log.matchAll(/\bp?write(?:64)?\((?:\d+)<[^>]*\.beads[^>]*>.*?, (\d+)(?:, \d+)?\) = (-?\d+)(.*)/g)
      ]
      const cut = writes.filter(([, asked, written]) => Number(written) >= 0 && Number(written) < Number(asked))
      const tooBig = writes.filter(([, , , why = ""]) => why.includes("EFBIG"))
      if (cut.length > 0) short++
      if (tooBig.length > 0) refused++
      exits[String(ended.exitCode)] = (exits[String(ended.exitCode)] ?? 0) + 1
      expectTold(ended, ["--json"])
      // a checkpoint that fails costs nothing: the change is in the log
      if (ended.exitCode === 0) for (const [call] of tooBig) expect(call).toMatch(/beads\.db>/)
      const titles = (shown: ReadonlyArray<Shown>) => shown.map(({ title }) => title).sort()
      const committed = ended.exitCode === 0 || ended.exitCode === 7
      const wanted = [...before, ...(committed ? ["new"] : [])].sort()
      expect([before, [...before, "new"].sort()]).toContainEqual(titles(issues(place)))
      expect(titles(await listed(place))).toEqual(wanted)
      expect(ok(await bd(place, "create", "next")).stderr).toBe("")
      expect(titles(issues(place))).toEqual([...wanted, "next"].sort())
    })
    console.log(
      `seed ${seed}: ${n} limits: ${short} writes cut short, ${refused} refused; exits ${JSON.stringify(exits)}`
    )
    expect(problems).toEqual([])
    expect(short).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  },
  milliseconds(16_000) + 240_000
)

it(
  "G13, G28, G29: a command stopped at a random call, then let go on or killed, and others meanwhile",
  async () => {
    const outcomes: Record<string, number> = {}
    const tell = (what: string) => {
      outcomes[what] = (outcomes[what] ?? 0) + 1
    }
    const { n, problems } = await again(16_000, 5, async random => {
      const { points, scenario, stdin } = await scenarioOf(random.pick(["create", "update"]))
      const isMain = ({ changing, thread }: KillPoint) => thread === "main" && changing
      const point = random.pick(points.filter(isMain))
      const place = copyOf(scenario.template)
      const pidFile = join(scratch(), "pid")
      const logFile = join(scratch(), "log")
      const { options } = injection(point, "signal=STOP")
      const holder = start(
        [
          ...["strace", "-qq", "-o", logFile, ...options, "--"],
          ...["sh", "-c", 'echo $$ > "$0"; exec "$@"', pidFile, ...scenario.command]
        ],
        { cwd: place.directory, stdin }
      )
      let over = false
      void holder.ended.then(() => {
        over = true
      })
      const log = () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "")
      await until(() => over || log().includes("stopped by SIGSTOP"))
      expect(log(), describePoint(point)).toContain("stopped by SIGSTOP")
      const pid = Number(readFileSync(pidFile, "utf8"))
      const other = await bd(place, "create", "meanwhile", "--id", "t-meanwhile", "--lock-timeout", "300ms", "--json")
      tell(`another command: exit ${other.exitCode}`)
      expectTold(other, ["--json"])
      // stopped while SQLite recovers its log or takes it away, it bars readers too, until it goes on or is killed
      const read = await bd(place, "list", "--lock-timeout", "300ms", "--json")
      tell(`read: exit ${read.exitCode}`)
      if (read.exitCode === 0) JSON.parse(read.stdout)
      else expect(JSON.parse(read.stdout)).toMatchObject({ error: { code: "store_busy" } })
      const kill = random.below(2) === 0
      process.kill(pid, kill ? "SIGKILL" : "SIGCONT")
      const ended = await holder.ended
      tell(kill ? "killed" : "went on")
      if (!kill) expect(ended, ended.stderr).toMatchObject({ exitCode: 0 })
      const isThere = issues(place).some(({ id }) => id === "t-meanwhile")
      if (other.exitCode === 0) expect(isThere).toBe(true)
      if (other.exitCode === 6 || other.exitCode === 8) expect(isThere).toBe(false)
      if (isThere) {
        // known to `recovers` only as a line that was always there
        const line =
          readFileSync(place.issueFile, "utf8")
            .split("\n")
            .find(each => each.includes('"t-meanwhile"')) ?? ""
        const content = line.replace(/"id":"[^"]*",|"(issue_id|\w+_at)":"[^"]*",?/g, "")
        const withIt = (all: ReadonlyArray<string>) => [...all, content].sort()
        await recovers(
          {
            ...scenario,
            before: withIt(scenario.before),
            after: withIt(scenario.after),
            kept: [...scenario.kept, line]
          },
          place,
          !kill
        )
      } else await recovers(scenario, place, !kill)
    })
    console.log(`seed ${seed}: ${n} commands stopped: ${JSON.stringify(outcomes)}`)
    expect(problems).toEqual([])
    expect(outcomes["another command: exit 6"]).toBeGreaterThan(0)
    expect(outcomes["read: exit 0"]).toBeGreaterThan(0)
  },
  milliseconds(16_000) + 240_000
)

/** Shifts what `Date` says, anew at every look: strace cannot, as the clock is read without a system call. */
const clock = fileURLToPath(new URL("jumpingClock.cjs", import.meta.url))

it(
  "G20, G22: a clock that jumps by years at any look at it, and files of any time stamps, also with the contents changed",
  async () => {
    let jumps = 0
    let edits = 0
    let stamps = 0
    const { n, problems } = await again(16_000, 2, async random => {
      const place = await repository(["title-000", "title-001", "title-002"])
      const titles = new Map(issues(place).map(({ id, title }) => [id, title]))
      const jumpLog = join(scratch(), "jumps")
      writeFileSync(jumpLog, "")
      const env = () => ({
        NODE_OPTIONS: `--require ${clock}`,
        CLOCK_SEED: String(random.below(2 ** 31)),
        CLOCK_LOG: jumpLog
      })
      const said: Array<string> = []
      for (let turn = 3; turn < 13; turn++) {
        const id = random.pick([...titles.keys()])
        const title = `title-${String(turn).padStart(3, "0")}`
        const before = statSync(place.issueFile)
        if (random.below(3) === 0) {
          // an editor: as many bytes as before, in the same file
          const text = readFileSync(place.issueFile, "utf8")
          writeFileSync(place.issueFile, text.replace(`"title":"${titles.get(id)}"`, `"title":"${title}"`))
          said.push(`edited ${id}: ${title}`)
          edits++
        } else {
          const earlier = issues(place).find(issue => issue.id === id) as Shown & { updated_at: string }
          const words = ["update", id, "--title", title, "--json"]
          const ended = await run(bdCommand(...words), { cwd: place.directory, env: env() })
          expect(ended, ended.stderr).toMatchObject({ exitCode: 0 })
          const [answer] = JSON.parse(ended.stdout) as ReadonlyArray<{ updated_at: string }>
          expect(Date.parse(answer?.updated_at ?? "")).toBeGreaterThan(Date.parse(earlier.updated_at))
          said.push(`updated ${id}: ${title}`)
        }
        titles.set(id, title)
        for (const path of [place.issueFile, place.store]) {
          const how = random.below(5)
          const at = [before.mtimeMs / 1000, 0, 4_102_444_800, Date.now() / 1000][how]
          if (at === undefined) continue
          utimesSync(path, at, at)
          expect(Math.abs(statSync(path).mtimeMs / 1000 - at)).toBeLessThan(1)
          said.push(`${path === place.store ? "store" : "file"} from ${at}`)
          stamps++
        }
        if (random.below(2) === 0) continue
        const list = await run(bdCommand("list", "--json"), { cwd: place.directory, env: env() })
        const shown = JSON.parse(ok(list).stdout) as ReadonlyArray<Shown>
        expect(new Map(shown.map(issue => [issue.id, issue.title])), said.join("\n")).toEqual(titles)
      }
      const flushed = await run(bdCommand("flush"), { cwd: place.directory, env: env() })
      expect(flushed, flushed.stderr).toMatchObject({ exitCode: 0 })
      expect(new Map(issues(place).map(issue => [issue.id, issue.title])), said.join("\n")).toEqual(titles)
      const jumped = readFileSync(jumpLog, "utf8").split("\n").slice(0, -1).map(Number)
      jumps += jumped.reduce((sum, each) => sum + each, 0)
    })
    console.log(
      `seed ${seed}: ${n} histories: ${jumps} jumps of the clock, ${edits} outside edits, ${stamps} file times set`
    )
    expect(problems).toEqual([])
    expect(jumps).toBeGreaterThan(20)
    expect(stamps).toBeGreaterThan(5)
  },
  milliseconds(16_000) + 240_000
)
