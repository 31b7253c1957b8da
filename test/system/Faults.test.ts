/**
 * G29: disks that are full or broken, places that may not be written, a store that others hold. What the command says,
 * what it leaves, and that the next one recovers. Each test shows that its fault was there.
 */
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { describe, expect, it, onTestFinished } from "vitest"
import {
  bd,
  bdCommand,
  copyOf,
  type Ended,
  issues,
  leftovers,
  lines,
  listed,
  ok,
  type Repository,
  repository,
  run,
  type Shown,
  scratch,
  stored,
  strace
} from "./bd.ts"
import { describePoint, injection, inParallel, killPoints } from "./killing.ts"

const create = ["create", "new", "--json"]

const titles = (shown: ReadonlyArray<Shown>) => shown.map(({ title }) => title).sort()

/** The failure is told as it should be: what and where, as text and as JSON, without a look inside the program. */
const expectTold = ({ exitCode, stderr, stdout }: Ended, place: Repository) => {
  expect(stderr).not.toMatch(/internal error|defect|\n\s+at |undefined|\[object/i)
  expect(stderr).toContain("Error: ")
  expect(stderr).toContain(place.beads)
  expect(stderr).not.toMatch(/\brm\b|delete it/)
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } }
  expect(error.code).toMatch(/^[a-z_]+$/)
  expect(stderr).toContain(error.message)
  expect([6, 7, 8]).toContain(exitCode)
}

/** Once the fault is gone: what was committed stands and is published by the next command; nothing else is there. */
const expectRecovery = async (place: Repository, before: ReadonlyArray<string>, committed: boolean) => {
  expect(titles(await listed(place))).toEqual([...before, ...(committed ? ["new"] : [])].sort())
  const next = ok(await bd(place, "create", "next", "--json"))
  expect(next.stderr).toBe("")
  expect(titles(issues(place))).toEqual([...before, ...(committed ? ["new"] : []), "next"].sort())
  const { integrity, lines: rows, marks } = stored(place)
  expect(integrity).toBe("ok")
  expect(marks).toEqual([])
  expect(rows.map(({ line }) => line).sort()).toEqual([...lines(place)].sort())
  expect(leftovers(place)).toEqual([])
}

/** A failed create: the old file is intact, and a mark stands exactly if the commit does. */
const expectFailed = async (place: Repository, before: ReadonlyArray<string>, file: string, ended: Ended) => {
  expectTold(ended, place)
  expect(readFileSync(place.issueFile, "utf8")).toBe(file)
  const committed = ended.exitCode === 7
  expect(stored(place).marks).toHaveLength(committed ? 1 : 0)
  await expectRecovery(place, before, committed)
}

describe("a system call that fails", { timeout: 240_000 }, () => {
  const names = new Set(["pwrite64", "write", "fsync", "ftruncate", "openat", "link", "rename", "fchmod", "utimensat"])

  it("G29: EIO or ENOSPC from each call on store and issue file on, until the process ends", async () => {
    const before = ["one", "two"]
    const template = await repository(before)
    const file = readFileSync(template.issueFile, "utf8")
    const command = bdCommand(...create)
    const points = await killPoints(command, () => ({ cwd: copyOf(template).directory }))
    const chosen = points.filter(({ call, changing, name }) => changing && names.has(name) && call.includes(".beads"))
    const problems: Array<string> = []
    const exits = new Map<number | undefined, number>()
    await inParallel(2, chosen, async point => {
      const fault = `error=${point.ordinal % 2 === 0 ? "EIO" : "ENOSPC"}`
      try {
        // Node wakes its loop by `write`, too: that one fails once, and the last flush of the command makes it good. How often
        // it is woken is not the same each time: a fault that met another write than one of a file is tried anew
        const { env, options } = injection(point, fault, point.name === "write" ? "once" : "onwards")
        const met = /^(?!.*eventfd).*\(INJECTED\)/m
        let place = copyOf(template)
        let ended = await strace(options, command, { cwd: place.directory, env })
        for (let attempt = 1; attempt < 5 && !met.test(ended.log); attempt++) {
          place = copyOf(template)
          ended = await strace(options, command, { cwd: place.directory, env })
        }
        expect(ended.log).toMatch(met)
        exits.set(ended.exitCode, (exits.get(ended.exitCode) ?? 0) + 1)
        if (ended.exitCode === 0) {
          // the fault came when the change was durable in both
          expect(titles(issues(place))).toEqual([...before, "new"].sort())
          expect(ended.stderr).not.toMatch(/internal error|defect|\n\s+at /i)
          return await expectRecovery(place, before, true)
        }
        expectTold(ended, place)
        if (!titles(issues(place)).includes("new")) return await expectFailed(place, before, file, ended)
        // the file is the new one, and only the clearing of the mark failed
        expect(ended.exitCode).toBe(7)
        await expectRecovery(place, before, true)
      } catch (problem) {
        problems.push(`${fault} ${describePoint(point)}\n${String(problem)}`)
      }
    })
    expect(problems).toEqual([])
    console.log(`${chosen.length} faults; by exit code: ${JSON.stringify(Object.fromEntries(exits))}`)
    expect(chosen.length).toBeGreaterThan(40)
    expect(exits.get(7)).toBeGreaterThan(5)
    expect(exits.get(8)).toBeGreaterThan(5)
  })
})

/** A file system of its own in memory; unmounted with the test. */
const smallDisk = (kilobytes: number): string => {
  const directory = scratch()
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kilobytes}k`, "none", directory])
  if (mounted.status !== 0) throw new Error(`a small disk cannot be mounted: ${mounted.stderr}`)
  onTestFinished(() => {
    spawnSync("umount", [directory])
  })
  return directory
}

/** Writes until the disk is full but for some KiB. */
const fill = (directory: string, left: number): string => {
  const reserve = join(directory, "reserve")
  const filler = join(directory, "filler")
  writeFileSync(reserve, Buffer.alloc(left * 1024))
  const descriptor = openSync(filler, "w")
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(4096))
  } catch (problem) {
    expect(problem).toMatchObject({ code: "ENOSPC" })
  } finally {
    closeSync(descriptor)
    rmSync(reserve)
  }
  return filler
}

describe("a full disk", { timeout: 240_000 }, () => {
  it("G29: with ever less room: done, or failed with the file intact, and recovered once there is room", async () => {
    const before = ["one", "two"]
    const disk = smallDisk(4096)
    const text = "x".repeat(60_000)
    const outcomes: Array<number | undefined> = []
    for (const left of [0, 16, 48, 96, 160, 240, 400, 800]) {
      const place = await repository(before, join(disk, `left-${left}`))
      const file = readFileSync(place.issueFile, "utf8")
      const filler = fill(disk, left)
      const ended = await bd(place, ...create, "--description", text)
      outcomes.push(ended.exitCode)
      rmSync(filler)
      if (ended.exitCode === 0) await expectRecovery(place, before, true)
      else {
        expect(ended.stderr).toMatch(/ENOSPC|full|SQLITE_IOERR/)
        if (titles(issues(place)).includes("new")) {
          expectTold(ended, place)
          expect(ended.exitCode).toBe(7)
          await expectRecovery(place, before, true)
        } else await expectFailed(place, before, file, ended)
      }
      rmSync(place.directory, { recursive: true })
    }
    console.log(`exit codes with ever more room: ${outcomes.join(" ")}`)
    expect(outcomes).toContain(0)
    expect(outcomes).toContain(7)
    expect(outcomes).toContain(8)
  })
})

describe("a place that may not be written", () => {
  const before = ["one", "two"]

  it("G26, G29: a read-only file system: a change is refused, a read is answered", async () => {
    const place = await repository(before)
    const file = readFileSync(place.issueFile, "utf8")
    // a mount of its own for each command goes with the command
    const readOnly = (...words: ReadonlyArray<string>) =>
      run(
        [
          "unshare",
          "--mount",
          "sh",
          "-c",
          `mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD" && cd "$PWD" && exec "$@"`,
          "sh",
          ...words
        ],
        { cwd: place.directory }
      )
    const plain = await readOnly("sh", "-c", "echo > .beads/plain")
    expect(plain.stderr).toContain("Read-only file system")
    expect(existsSync(join(place.beads, "plain"))).toBe(false)

    const ended = await readOnly(...bdCommand(...create))
    expect(ended.exitCode).toBe(8)
    await expectFailed(place, before, file, ended)
    const answered = await readOnly(...bdCommand("list", "--json"))
    expect(answered.stderr).not.toMatch(/internal error|\n\s+at /)
    expect(answered.exitCode).toBe(0)
    expect(titles(JSON.parse(answered.stdout) as ReadonlyArray<Shown>)).toEqual([...before, "next"].sort())
  })

  const unprivileged = (place: Repository, ...words: ReadonlyArray<string>) =>
    run([...(process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : []), ...words], {
      cwd: place.directory
    })

  it("G29: a directory without permission", async () => {
    const place = await repository(before)
    const file = readFileSync(place.issueFile, "utf8")
    chmodSync(place.beads, 0o555)
    const plain = await unprivileged(place, "sh", "-c", "echo > .beads/plain")
    expect(plain.stderr).toContain("Permission denied")
    const ended = await unprivileged(place, ...bdCommand(...create))
    const read = await unprivileged(place, ...bdCommand("list", "--json"))
    chmodSync(place.beads, 0o755)
    expect(ended.stderr).toMatch(/EACCES|permission|readonly/i)
    await expectFailed(place, before, file, ended)
    expect(read.exitCode).toBe(0)
    expect(titles(JSON.parse(read.stdout) as ReadonlyArray<Shown>)).toEqual(before)
  })

  it("G29: a store without permission to write it", async () => {
    const place = await repository(before)
    const file = readFileSync(place.issueFile, "utf8")
    chmodSync(place.store, 0o444)
    const plain = await unprivileged(place, "sh", "-c", "echo >> .beads/beads.db")
    expect(plain.stderr).toContain("Permission denied")
    const ended = await unprivileged(place, ...bdCommand(...create))
    chmodSync(place.store, 0o644)
    await expectFailed(place, before, file, ended)
  })
})

describe("others that hold what is needed", () => {
  const before = ["one", "two"]

  const holding = (path: string, statement: string) => {
    const database = new Database(path)
    database.exec(statement)
    onTestFinished(() => {
      database.close()
    })
    return database
  }

  it.each([
    ["the store", "store", "begin immediate"],
    ["the store, exclusively", "store", "begin exclusive"],
    ["the lock", "lock", "begin exclusive"]
  ] as const)("G13, G29: %s is held: nothing is changed, and it is said who waits for what", async (_, what, begin) => {
    const place = await repository(before)
    const file = readFileSync(place.issueFile, "utf8")
    const holder = holding(what === "store" ? place.store : `${place.issueFile}.lock`, begin)
    const other = new Database(holder.name, { timeout: 0 })
    expect(() => other.exec("begin immediate")).toThrow(/locked/)
    other.close()
    const ended = await bd(place, ...create, "--lock-timeout", "300ms")
    expect(ended.exitCode).toBe(6)
    holder.close()
    await expectFailed(place, before, file, ended)
  })

  it("G16, G29: git is at work: nothing is changed, and it is said what is waited for", async () => {
    const place = await repository(before)
    const file = readFileSync(place.issueFile, "utf8")
    const lock = join(place.directory, ".git/index.lock")
    mkdirSync(join(place.directory, ".git"), { recursive: true })
    writeFileSync(lock, "")
    // written anew, so that it has to be read, and git asked for that
    writeFileSync(place.issueFile, file)
    const ended = await bd(place, ...create, "--lock-timeout", "300ms")
    expect(ended.exitCode).toBe(6)
    expect(ended.stderr).toContain(lock)
    // nothing was changed, so nothing is said of changes that are kept
    expect(ended.stderr).not.toMatch(/unpublished|not published|flush/)
    rmSync(lock)
    await expectRecovery(place, before, false)
  })
})
