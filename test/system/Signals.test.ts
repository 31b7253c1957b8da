/** What ends a command from outside: signals, and a reader that has seen enough. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import {
  bd,
  bdCommand,
  copyOf,
  issues,
  leftovers,
  ok,
  program,
  type Repository,
  repository,
  run,
  scratch,
  start,
  stored
} from "./bd.ts"
import { injection, killPoints } from "./killing.ts"

const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 30_000, interval: 5 })

/** Whether a process has a file open. */
const hasOpen = (pid: number, file: string): boolean => {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(descriptor => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === file
      } catch {
        return false
      }
    })
  } catch {
    return false
  }
}

const holdLock = ({ issueFile }: Repository) => {
  const holder = new Database(`${issueFile}.lock`)
  holder.exec("begin exclusive")
  onTestFinished(() => {
    holder.close()
  })
  return holder
}

const signals = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129]
] as const

describe("a signal", () => {
  it.each(signals)(
    "G7: %s ends a command that waits for the lock with %i, and nothing is changed",
    async (signal, code) => {
      const place = await repository(["one"])
      const file = readFileSync(place.issueFile, "utf8")
      const holder = holdLock(place)
      const { child, ended } = start(bdCommand("create", "new", "--json"), { cwd: place.directory })
      await until(() => hasOpen(child.pid ?? 0, `${place.issueFile}.lock`))
      child.kill(signal)
      const { exitCode, stderr, stdout } = await ended
      expect(exitCode).toBe(code)
      expect(stderr).not.toMatch(/internal error|\n\s+at /)
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: "interrupted" } })
      holder.close()
      expect(readFileSync(place.issueFile, "utf8")).toBe(file)
      expect(stored(place).marks).toEqual([])
      ok(await bd(place, "create", "next"))
      expect(issues(place)).toHaveLength(2)
    }
  )

  it("G7: the first signal lets a publish end, a second one ends the command at once", async () => {
    const template = await repository(["one"])
    const create = bdCommand("create", "new", "--json")
    const points = await killPoints(create, () => ({ cwd: copyOf(template).directory }))
    const fsync = points.find(
      ({ call, name, thread }) => thread === "pool" && name === "fsync" && call.includes(".tmp")
    )
    if (fsync === undefined) throw new Error("create makes no temp file durable")
    // the fsync of the temp file hangs for longer than anybody waits
    const { env, options } = injection(fsync, "delay_enter=600000000")
    for (const [signal] of signals) {
      const place = copyOf(template)
      const strace = start(["strace", "-qq", "-o", join(scratch(), "log"), ...options, "--", ...create], {
        cwd: place.directory,
        env
      })
      const tracer = strace.child.pid
      await until(() => readdirSync(place.beads).some(name => name.endsWith(".tmp")))
      const pid = Number(readFileSync(`/proc/${tracer}/task/${tracer}/children`, "utf8"))
      const status = () => readFileSync(`/proc/${pid}/status`, "utf8")
      // ended and not yet collected, since strace holds on to the thread that hangs
      const hasEnded = () => /^State:\s*[ZX]/m.test(status())
      try {
        process.kill(pid, signal)
        // the first one has been taken: nothing is pending any more, and the program still runs
        await until(() => /^ShdPnd:\s*0+$/m.test(status()))
        expect(hasEnded()).toBe(false)
        process.kill(pid, signal)
        await until(hasEnded)
      } finally {
        process.kill(pid, "SIGKILL")
        strace.child.kill("SIGKILL")
      }

      // committed, marked, and published by the next command, which sweeps the temp file
      ok(await bd(place, "create", "next"))
      expect(issues(place).map(({ title }) => title)).toEqual(expect.arrayContaining(["one", "new", "next"]))
      expect(stored(place).marks).toEqual([])
      expect(leftovers(place)).toEqual([])
    }
  })
})

describe("a closed pipe", () => {
  it.each([["list"], ["list --json"], ["export"]])("bd-contract: %s | head -1 is silent", async words => {
    const place = await repository()
    const input = Array.from({ length: 3000 }, (_, number) => {
      const stamp = "2026-01-01T00:00:00Z"
      const title = `issue ${number} ${"x".repeat(100)}`
      return `{"id":"t-${String(number).padStart(4, "0")}","title":"${title}","status":"open","priority":2,"issue_type":"task","created_at":"${stamp}","updated_at":"${stamp}"}\n`
    }).join("")
    ok(await run(bdCommand("import"), { cwd: place.directory, stdin: input }))
    const script = `"$0" "$1" ${words} | head -1; echo "\${PIPESTATUS[0]}" >&2`
    const { stderr, stdout } = await run(["bash", "-c", script, process.execPath, program], { cwd: place.directory })
    expect(stdout.split("\n")).toHaveLength(2)
    expect(stderr).toBe("0\n")
  })
})

describe("a working directory that is not there any more", () => {
  it.each([
    ["list", 1, "Error: no beads database found"],
    ["help list", 0, ""]
  ])("bd-contract: %s exits %i, and says why", async (words, code, told) => {
    const script = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" ${words}`
    const ended = await run(["bash", "-c", script, process.execPath, program], { cwd: scratch() })
    expect(ended.exitCode).toBe(code)
    expect(ended.stderr).toContain(told)
    expect(ended.stdout !== "" || ended.stderr !== "").toBe(true)
  })
})
