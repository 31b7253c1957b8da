/** G28: `kill -9` before any system call of `doctor --fix --quarantine`: no line is ever nowhere. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import * as StoreInspection from "../../src/store/StoreInspection.ts"
import { bd, bdCommand, copyOf, lines, type Repository, repository, start } from "./bd.ts"
import { killThere } from "./crashing.ts"
import { until } from "./git.ts"
import { describePoint, inParallel, isAnswer, killPoints } from "./killing.ts"

const repair = bdCommand("doctor", "--fix", "--quarantine", "--json")

/** What the quarantine holds under names that are meant to be found; half-written files have others. */
const kept = ({ beads }: Repository, suffix: string): ReadonlyArray<string> => {
  const directory = join(beads, "quarantine")
  return existsSync(directory)
    ? readdirSync(directory)
        .filter(name => name.endsWith(suffix))
        .map(name => readFileSync(join(directory, name), "utf8"))
    : []
}

/** Has the store for itself again and again for a moment, as whoever is the last to close it. */
const coming = `
  const Database = require("better-sqlite3")
  for (let n = 0; ; n++) {
    try {
      const database = new Database(process.argv[1], { timeout: 0 })
      database.pragma("locking_mode = exclusive")
      database.exec("begin exclusive; commit")
      database.close()
    } catch {
      // somebody else is there
    }
    if (n === 0) require("node:fs").writeSync(1, "begun")
  }`

it("G29: doctor waits for a store that others come and go in, and calls it sound", { timeout: 120_000 }, async () => {
  const place = await repository(["one", "two"])
  const other = start([process.execPath, "-e", coming, place.store], { cwd: import.meta.dirname })
  try {
    await until(() => other.said().stdout !== "")
    // a look takes milliseconds, and one in a hundred meets the other
    for (let n = 0; n < 1_000; n++) {
      expect((await Effect.runPromise(StoreInspection.inspect(place.store)))._tag).toBe("Store")
    }
    const { checks } = JSON.parse((await bd(place, "doctor", "--json")).stdout)
    expect(checks).toContainEqual(expect.objectContaining({ name: "Database", status: "ok" }))
    expect(other.child.exitCode).toBe(null)
  } finally {
    other.child.kill("SIGKILL")
    await other.ended
  }
})

describe("kill -9 of doctor --fix --quarantine", { timeout: 240_000 }, () => {
  it("G28 G17: the file is the old or the new one, what left it is kept whole, and the next run ends it", async () => {
    const template = await repository(["one", "two"])
    const good = readFileSync(template.issueFile, "utf8")
    const [first = "", second = ""] = good.split("\n")
    const bad = ["<<<<<<< HEAD", "=======", ">>>>>>> theirs"]
    const broken = `${[bad[0], first, bad[1], second, bad[2]].join("\n")}\n`
    writeFileSync(template.issueFile, broken)

    const points = await killPoints(repair, () => ({ cwd: copyOf(template).directory }))
    const chosen = points.filter((point, i) => point.changing || isAnswer(point) || i % 40 === 0)
    const calls: Array<string> = []
    const problems: Array<string> = []
    let left = 0
    await inParallel(2, chosen, async point => {
      try {
        const { call, place } = await killThere({ template, command: repair }, point)
        calls.push(describePoint({ ...point, call }))
        const now = readFileSync(place.issueFile, "utf8")
        expect([broken, good]).toContain(now)
        // a name that shows in the quarantine stands for all of its content
        for (const text of kept(place, ".backup")) expect(text).toBe(broken)
        for (const text of kept(place, ".lines")) expect(text).toBe(`${bad.join("\n")}\n`)
        if (now === good) {
          left++
          expect(kept(place, ".backup")).toHaveLength(1)
          expect(kept(place, ".lines")).toHaveLength(1)
        }
        const again = JSON.parse((await bd(place, "doctor", "--fix", "--quarantine", "--json")).stdout)
        expect(again.checks.filter(({ status }: { readonly status: string }) => status === "error")).toEqual([])
        expect(lines(place)).toEqual([first, second])
        expect([kept(place, ".backup"), kept(place, ".lines")]).toEqual([[broken], [`${bad.join("\n")}\n`]])
        expect(readdirSync(join(place.beads, "quarantine")).filter(name => name.endsWith(".tmp"))).toEqual([])
        // killed when the file was replaced already: what it held then is kept once more, as it cannot be read
        for (const name of readdirSync(place.beads).filter(each => /\.(tmp|aside)$/.test(each))) {
          expect(name).toMatch(/^\.issues\.jsonl\.[0-9a-f]{12}\.aside$/)
          expect(readFileSync(join(place.beads, name), "utf8")).toBe(broken)
        }
      } catch (problem) {
        problems.push(`${describePoint(point)}\n${String(problem)}`)
      }
    })
    console.log(`doctor: ${chosen.length} kill points of ${points.length}; ${left} times the lines had left the file`)
    expect(problems).toEqual([])
    for (const pattern of [
      /^main mkdir.*quarantine/,
      /^main (openat|pwrite64).*\.backup\..*\.tmp/,
      /^pool fsync.*\.backup\..*\.tmp/,
      /^pool fsync.*\.lines\..*\.tmp/,
      /^main rename.*\.lines/,
      /^pool fsync.*quarantine>/,
      /^main link.*\.aside/,
      /^main rename.*issues\.jsonl"/
    ]) {
      expect(
        calls.some(call => pattern.test(call)),
        String(pattern)
      ).toBe(true)
    }
    expect(left).toBeGreaterThan(3)
    expect(chosen.length - left).toBeGreaterThan(20)
  })
})
