import { createHash } from "node:crypto"
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, type Duration, Effect, Fiber, Option, Schedule } from "effect"
import { type Disk, DiskFailure, nodeDisk } from "../../src/issue-file/Disk.ts"
import type { Edit } from "../../src/issue-file/FileBytes.ts"
import * as IssueFile from "../../src/issue-file/IssueFile.ts"
import { run, runTask, taskCommand, temporaryDirectory } from "./processes.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex")

/** A `.beads` directory in a work tree of its own, and an issue file over a disk that a test may have changed. */
const project = Effect.fnUntraced(function* (
  changed: Partial<Disk> = {},
  content = "old\n",
  gitTimeout = "20 seconds" as Duration.DurationInput
) {
  const root = yield* temporaryDirectory
  const beads = join(root, ".beads")
  mkdirSync(beads)
  mkdirSync(join(root, ".git"))
  writeFileSync(join(root, ".git", "HEAD"), "ref: refs/heads/main\n")
  const path = join(beads, "issues.jsonl")
  writeFileSync(path, content)
  const make = IssueFile.make({ path, gitTimeout }, { ...nodeDisk, ...changed })
  return { root, beads, path, aside: join(beads, ".issues.jsonl.aside"), make, file: yield* make }
})

/** Sets both times of a file so far back that its stamp counts as settled, were it not for the time of the change. */
const makeOld = (path: string) => utimesSync(path, 1_000_000_000, 1_000_000_000)

const failing = (operation: string, code: string) => (path: string) =>
  new DiskFailure({ path, operation, code, cause: new Error(code) })

describe("IssueFile.read", () => {
  it.scopedLive("G12: gives the bytes, their hash and the stamp they were read at; none without a file", () =>
    Effect.gen(function* () {
      const { file, path } = yield* project()
      const snapshot = Option.getOrThrow(yield* file.read)
      assert.strictEqual(textOf(snapshot.bytes), "old\n")
      assert.strictEqual(snapshot.hash, hashOf("old\n"))
      assert.deepStrictEqual(Option.getOrThrow(yield* file.stamp), snapshot.stamp)
      rmSync(path)
      assert.isTrue(Option.isNone(yield* file.read))
      assert.isTrue(Option.isNone(yield* file.stamp))
    })
  )

  it.scopedLive("G20: a file that was just changed is not settled, whatever time it was given", () =>
    Effect.gen(function* () {
      const { file, path } = yield* project()
      assert.isFalse(Option.getOrThrow(yield* file.read).settled)
      makeOld(path)
      assert.isFalse(Option.getOrThrow(yield* file.read).settled)
    })
  )

  it.scopedLive(
    "G20: a stamp and the bytes it is given with belong together, though the file is written meanwhile",
    () =>
      Effect.gen(function* () {
        let writes = 0
        const { file, path } = yield* project({
          read: (path, ...rest) =>
            Effect.tap(nodeDisk.read(path, ...rest), () => {
              if (writes++ < 2) appendFileSync(path, "more\n")
            })
        })
        const snapshot = Option.getOrThrow(yield* file.read)
        assert.strictEqual(textOf(snapshot.bytes), "old\nmore\nmore\n")
        assert.strictEqual(snapshot.stamp.size, statSync(path).size)
      })
  )

  it.scopedLive("G16: a file that never stands still is reported, not waited for without end", () =>
    Effect.gen(function* () {
      const { file } = yield* project(
        {
          read: (path, ...rest) => Effect.tap(nodeDisk.read(path, ...rest), () => appendFileSync(path, "more\n"))
        },
        "old\n",
        "100 millis"
      )
      const error = yield* Effect.flip(file.read)
      assert.deepInclude(error, { _tag: "IssueFileFailure", operation: "read", code: "EBUSY" })
    })
  )

  it.scopedLive("G16: while git is at work the file is not trusted", () =>
    Effect.gen(function* () {
      const { file, path, root } = yield* project({}, "old\n", "100 millis")
      const gitLock = join(root, ".git", "index.lock")
      writeFileSync(gitLock, "")
      rmSync(path)
      const error = yield* Effect.flip(file.read)
      assert.strictEqual(error._tag, "GitAtWork")
      if (error._tag === "GitAtWork") assert.isAtLeast(error.waited, 100)
      const waiting = yield* Effect.fork(file.read)
      yield* Effect.yieldNow()
      writeFileSync(path, "git's\n")
      rmSync(gitLock)
      assert.strictEqual(textOf(Option.getOrThrow(yield* Fiber.join(waiting)).bytes), "git's\n")
    })
  )

  it.scopedLive("G16: what was read while git began its work does not count", () =>
    Effect.gen(function* () {
      let gitLock = ""
      const { file, path, root } = yield* project({
        open: (path, ...rest) => {
          if (gitLock === "" && path.endsWith(".jsonl")) {
            gitLock = join(root, ".git", "index.lock")
            writeFileSync(gitLock, "")
            writeFileSync(path, "")
          }
          return nodeDisk.open(path, ...rest)
        },
        close: (path, descriptor) => {
          writeFileSync(path, "git's\n")
          rmSync(gitLock, { force: true })
          return nodeDisk.close(path, descriptor)
        }
      })
      assert.strictEqual(textOf(Option.getOrThrow(yield* file.read).bytes), "git's\n")
      assert.isTrue(existsSync(path))
    })
  )

  it.scopedLive("G16: a file that is missing because git replaces it is not missing", () =>
    Effect.gen(function* () {
      let looks = 0
      const { file } = yield* project({
        stat: path => {
          // its first look at the file itself after `make` and the check of the path: git has it away for a moment
          if (path.endsWith("issues.jsonl") && ++looks === 3) return undefined
          return nodeDisk.stat(path)
        }
      })
      assert.isTrue(Option.isSome(yield* file.read))
      assert.isAbove(looks, 3)
    })
  )

  it.scopedLive("G16: a linked work tree has its own lock, and inside of a hook none is waited for", () =>
    Effect.gen(function* () {
      const { beads, make, root } = yield* project({}, "old\n", "100 millis")
      const ours = join(root, "elsewhere", "worktrees", "one")
      mkdirSync(ours, { recursive: true })
      writeFileSync(join(root, ".git", "index.lock"), "")
      rmSync(join(root, ".git"), { recursive: true })
      writeFileSync(join(root, ".git"), "gitdir: elsewhere/worktrees/one\n")
      const file = yield* make
      yield* file.read
      writeFileSync(join(ours, "index.lock"), "")
      assert.strictEqual((yield* Effect.flip(file.read))._tag, "GitAtWork")
      const inHook = yield* Effect.withConfigProvider(
        make,
        ConfigProvider.fromMap(new Map([["GIT_INDEX_FILE", "elsewhere/worktrees/one/index.lock"]]))
      )
      yield* inHook.replace(yield* inHook.read, bytesOf("new\n"))
      assert.strictEqual(readFileSync(join(beads, "issues.jsonl"), "utf8"), "new\n")
    })
  )
})

describe("IssueFile.replace", () => {
  it.scopedLive("G12: replaces the file and leaves nothing else behind", () =>
    Effect.gen(function* () {
      const { beads, file, path } = yield* project()
      const replacement = yield* file.replace(yield* file.read, bytesOf("new\n"))
      assert.isTrue(Option.isNone(replacement.displaced))
      assert.strictEqual(replacement.hash, hashOf("new\n"))
      assert.strictEqual(readFileSync(path, "utf8"), "new\n")
      assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
      const snapshot = Option.getOrThrow(yield* file.read)
      assert.deepStrictEqual(snapshot.stamp, replacement.stamp)
      assert.strictEqual(snapshot.hash, replacement.hash)
    })
  )

  it.scopedLive("G20: what was published is settled at once, and no two publishes in a row set one time", () =>
    Effect.gen(function* () {
      const { file } = yield* project()
      const times = new Set<string>()
      for (let publish = 0; publish < 32; publish++) {
        const { stamp } = yield* file.replace(yield* file.read, bytesOf(`${publish % 2}\n`))
        assert.isTrue(Option.getOrThrow(yield* file.read).settled)
        times.add((BigInt(stamp.modifiedAt) % 1_000_000_000n).toString())
      }
      assert.strictEqual(times.size, 32)
    })
  )

  it.scopedLive("G12: creates a missing file, and only a missing one", () =>
    Effect.gen(function* () {
      const { beads, file, path } = yield* project()
      rmSync(path)
      yield* file.replace(Option.none(), bytesOf("new\n"))
      assert.strictEqual(readFileSync(path, "utf8"), "new\n")
      assert.strictEqual(statSync(path).mode & 0o777, 0o644)
      assert.strictEqual((yield* Effect.flip(file.replace(Option.none(), bytesOf("newer\n"))))._tag, "IssueFileChanged")
      assert.strictEqual(readFileSync(path, "utf8"), "new\n")
      assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
    })
  )

  it.scopedLive("G12: a file that appears between the look and the rename is not replaced", () =>
    Effect.gen(function* () {
      const { file, path } = yield* project({
        link: (from, to) => {
          writeFileSync(to, "theirs\n", { flag: "wx" })
          nodeDisk.link(from, to)
        }
      })
      rmSync(path)
      assert.strictEqual((yield* Effect.flip(file.replace(Option.none(), bytesOf("new\n"))))._tag, "IssueFileChanged")
      assert.strictEqual(readFileSync(path, "utf8"), "theirs\n")
    })
  )

  it.scopedLive("G16: a file that is not the one read is not replaced", () =>
    Effect.gen(function* () {
      const { beads, file, path } = yield* project()
      for (const change of [
        () => appendFileSync(path, "more\n"),
        () => rmSync(path),
        () => writeFileSync(path, "other\n"),
        () => chmodSync(path, 0o600)
      ]) {
        const before = yield* file.read
        change()
        assert.strictEqual((yield* Effect.flip(file.replace(before, bytesOf("new\n"))))._tag, "IssueFileChanged")
        assert.notInclude(readdirSync(beads).join(), "tmp")
        if (existsSync(path)) assert.notStrictEqual(readFileSync(path, "utf8"), "new\n")
      }
    })
  )

  it.scopedLive("G16: git that begins while the temp file is written is waited for, before the look", () =>
    Effect.gen(function* () {
      const { beads, file, path, root } = yield* project(
        {
          fsync: (path, descriptor) =>
            Effect.tap(nodeDisk.fsync(path, descriptor), () => {
              if (path.endsWith(".tmp")) writeFileSync(join(root, ".git", "index.lock"), "")
            })
        },
        "old\n",
        "100 millis"
      )
      assert.strictEqual((yield* Effect.flip(file.replace(yield* file.read, bytesOf("new\n"))))._tag, "GitAtWork")
      assert.strictEqual(readFileSync(path, "utf8"), "old\n")
      assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
    })
  )

  it.scopedLive("G16: the last look at git and at the file comes right before the rename", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const watched =
        <Args extends ReadonlyArray<unknown>, A>(name: string, call: (...args: Args) => A) =>
        (...args: Args) => {
          calls.push(`${name} ${String(args[0]).replace(/.*\//, "").replace(/\d.*/, "…")}`)
          return call(...args)
        }
      const { file } = yield* project({
        stat: watched("stat", nodeDisk.stat),
        link: watched("link", nodeDisk.link),
        rename: watched("rename", nodeDisk.rename),
        fsync: watched("fsync", nodeDisk.fsync)
      })
      yield* file.replace(yield* file.read, bytesOf("new\n"))
      const last = calls.findIndex(call => call.startsWith("rename"))
      assert.deepStrictEqual(calls.slice(last - 4, last + 4), [
        "stat index.lock",
        "stat issues.jsonl",
        "link issues.jsonl",
        "stat index.lock",
        "rename .issues.jsonl.…",
        "stat issues.jsonl",
        "stat index.lock",
        "fsync .beads"
      ])
    })
  )

  it.scopedLive("G16: git that begins while the replaced file is linked is waited for: nothing stands in its way", () =>
    Effect.gen(function* () {
      let gitLock = ""
      const { aside, file, path, root } = yield* project({
        link: (from, to) => {
          nodeDisk.link(from, to)
          if (gitLock !== "") return
          gitLock = join(root, ".git", "index.lock")
          writeFileSync(gitLock, "")
          // it takes the file away, and means to create its own
          rmSync(path)
        }
      })
      const replacing = yield* Effect.fork(file.replace(yield* file.read, bytesOf("new\n")))
      yield* Effect.repeat(
        Effect.sync(() => gitLock),
        { until: lock => lock !== "", schedule: Schedule.spaced("1 millis") }
      )
      writeFileSync(path, "git's\n", { flag: "wx" })
      assert.isFalse(existsSync(aside))
      rmSync(gitLock)
      assert.strictEqual((yield* Effect.flip(Fiber.join(replacing)))._tag, "IssueFileChanged")
      assert.strictEqual(readFileSync(path, "utf8"), "git's\n")
    })
  )

  it.scopedLive("G16: git that begins between the look and the rename has not seen it: waited for, and told", () =>
    Effect.gen(function* () {
      let gitLock = ""
      const { file, path, root } = yield* project({
        rename: (from, to) => {
          if (to.endsWith("issues.jsonl") && gitLock === "") {
            gitLock = join(root, ".git", "index.lock")
            writeFileSync(gitLock, "")
          }
          nodeDisk.rename(from, to)
        },
        fsync: (path, descriptor) =>
          Effect.tap(nodeDisk.fsync(path, descriptor), () => {
            if (!path.endsWith(".beads") || !existsSync(gitLock)) return
            // it had found the old file clean, and puts its own in the place
            rmSync(join(path, "issues.jsonl"))
            writeFileSync(join(path, "issues.jsonl"), "git's\n")
            rmSync(gitLock)
          })
      })
      const { contested } = yield* file.replace(yield* file.read, bytesOf("new\n"))
      assert.notStrictEqual(gitLock, "")
      assert.isTrue(contested)
      assert.strictEqual(readFileSync(path, "utf8"), "git's\n")
      assert.isFalse((yield* file.replace(yield* file.read, bytesOf("new\n"))).contested)
    })
  )

  it.scopedLive("G16: git stash that has read the file, and will reset it, is let finish, within bounds", () =>
    Effect.gen(function* () {
      const { beads, file, path, root } = yield* project()
      const index = join(root, ".git", "index.stash.4711")
      const stored = join(root, ".git", "refs", "stash")
      mkdirSync(join(root, ".git", "refs"), { recursive: true })
      const began = Date.now()
      writeFileSync(index, "")
      const replacing = yield* Effect.fork(file.replace(yield* file.read, bytesOf("new\n")))
      yield* Effect.repeat(
        Effect.sync(() => readdirSync(beads).some(name => name.endsWith(".tmp"))),
        { until: written => written, schedule: Schedule.spaced("1 millis") }
      )
      rmSync(index)
      writeFileSync(stored, "")
      // its reset
      writeFileSync(path, "git's\n")
      utimesSync(stored, 1, 1)
      assert.strictEqual((yield* Effect.flip(Fiber.join(replacing)))._tag, "IssueFileChanged")
      // one that crashed has left this behind: it must not bar publishing for ever
      writeFileSync(index, "")
      const { contested } = yield* file.replace(yield* file.read, bytesOf("new\n"))
      assert.isTrue(contested)
      assert.strictEqual(readFileSync(path, "utf8"), "new\n")
      assert.isAtLeast(Date.now() - began, 300)
    })
  )

  it.scopedLive("G16: a file that is taken away between the look and the link is changed, not a failure", () =>
    Effect.gen(function* () {
      let taken = false
      const { file, path } = yield* project({
        link: (from, to) => {
          if (!taken) rmSync(from)
          taken = true
          nodeDisk.link(from, to)
        }
      })
      const error = yield* Effect.flip(file.replace(yield* file.read, bytesOf("new\n")))
      assert.isTrue(taken)
      assert.strictEqual(error._tag, "IssueFileChanged")
      assert.isFalse(existsSync(path))
    })
  )

  it.scopedLive("G12: the mode is kept", () =>
    Effect.gen(function* () {
      const { file, path } = yield* project()
      for (const mode of [0o600, 0o664, 0o644]) {
        chmodSync(path, mode)
        yield* file.replace(yield* file.read, bytesOf(`${mode}\n`))
        assert.strictEqual(statSync(path).mode & 0o7777, mode)
      }
    })
  )

  it.scopedLive("G14: the hash is of all that was written, in however many pieces", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const { file, path } = yield* project({
        write: (path, ...rest) => Effect.tap(nodeDisk.write(path, ...rest), () => calls.push("write")),
        fsync: (path, descriptor) => Effect.tap(nodeDisk.fsync(path, descriptor), () => calls.push("fsync"))
      })
      const text = "0123456789\n".repeat(2_000_000)
      const bytes = Buffer.from(text)
      const pieces = [bytes.subarray(0, 3), bytes.subarray(3, 17_000_001), bytes.subarray(17_000_001)]
      const { hash } = yield* file.replace(yield* file.read, pieces)
      assert.strictEqual(hash, hashOf(text))
      assert.strictEqual(hashOf(readFileSync(path, "utf8")), hash)
      assert.strictEqual(calls.indexOf("fsync"), calls.lastIndexOf("write") + 1)
    })
  )

  it.scopedLive("G12: however few bytes the system takes at a time, all are written", () =>
    Effect.gen(function* () {
      const { file, path } = yield* project({
        write: (path, descriptor, bytes, position) => nodeDisk.write(path, descriptor, bytes.subarray(0, 7), position)
      })
      const text = "0123456789\n".repeat(100)
      const { hash } = yield* file.replace(yield* file.read, bytesOf(text))
      assert.strictEqual(readFileSync(path, "utf8"), text)
      assert.strictEqual(hash, hashOf(text))
    })
  )

  /** `a` becomes `b`; told how many parts it was shown. */
  const aToB = () => {
    let parts = 0
    const edit: Edit = {
      next: bytes => {
        parts++
        return { pieces: [Buffer.from(bytes.toString("latin1").replaceAll("a", "b"), "latin1")], used: bytes.length }
      }
    }
    return { edit, parts: () => parts }
  }
  /** A published file, so that its stamp is settled. */
  const published = Effect.fnUntraced(function* (changed: Partial<Disk>, text: string) {
    const made = yield* project(changed)
    yield* made.file.replace(yield* made.file.read, bytesOf(text))
    return { ...made, before: Option.getOrThrow(yield* made.file.read) }
  })

  it.scopedLive("G12 G14: a file is rewritten part by part, and the hash is that of the bytes written", () =>
    Effect.gen(function* () {
      let longest = 0
      const text = "0123456789abcdef\n".repeat(200_000)
      const { beads, before, file, path } = yield* published(
        {
          read: (path, descriptor, into, position) => {
            longest = Math.max(longest, into.length)
            return nodeDisk.read(path, descriptor, into, position)
          },
          write: (path, descriptor, bytes, position) =>
            nodeDisk.write(path, descriptor, bytes.subarray(0, 300_000), position)
        },
        text
      )
      longest = 0
      const { edit, parts } = aToB()
      const made = Option.getOrThrow(yield* file.rewrite(before, edit))
      const expected = text.replaceAll("a", "b")
      assert.strictEqual(readFileSync(path, "utf8"), expected)
      assert.deepInclude(made, { hash: hashOf(expected), size: expected.length, contested: false })
      assert.isTrue(Option.isNone(made.displaced))
      assert.isAbove(parts(), 3)
      assert.isAtMost(longest, 1 << 20)
      assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
      const after = Option.getOrThrow(yield* file.read)
      assert.deepStrictEqual([after.hash, after.stamp, after.settled], [made.hash, made.stamp, true])
    })
  )

  it.scopedLive("G16: a file that is written, cut off, replaced or removed while it is rewritten is not replaced", () =>
    Effect.gen(function* () {
      const text = "0123456789abcdef\n".repeat(200_000)
      const others: ReadonlyArray<(path: string) => void> = [
        path => appendFileSync(path, "theirs\n"),
        path => writeFileSync(path, "theirs\n"),
        path => {
          rmSync(path)
          writeFileSync(path, text)
        },
        path => rmSync(path)
      ]
      for (const other of others) {
        for (const moment of [1, 2]) {
          let reads = Number.NEGATIVE_INFINITY
          const { beads, before, file, path } = yield* published(
            {
              read: (path, ...rest) =>
                Effect.tap(nodeDisk.read(path, ...rest), () => {
                  if (++reads === moment) other(path)
                })
            },
            text
          )
          reads = 0
          const error = yield* Effect.flip(file.rewrite(before, aToB().edit))
          assert.strictEqual(error._tag, "IssueFileChanged")
          assert.notInclude(readdirSync(beads).join(), "tmp")
          if (existsSync(path)) assert.notInclude(readFileSync(path, "utf8"), "bb")
        }
      }
    })
  )

  it.scopedLive(
    "G16: a file that is not the one expected is not rewritten; an edit that is given up replaces nothing",
    () =>
      Effect.gen(function* () {
        const { beads, before, file, path } = yield* published({}, "aaa\n")
        const inode = statSync(path).ino
        assert.isTrue(Option.isNone(yield* file.rewrite(before, { next: () => undefined })))
        assert.strictEqual(statSync(path).ino, inode)
        for (const other of [() => writeFileSync(path, "other\n"), () => rmSync(path)]) {
          other()
          assert.strictEqual((yield* Effect.flip(file.rewrite(before, aToB().edit)))._tag, "IssueFileChanged")
        }
        assert.deepStrictEqual(readdirSync(beads), [])
      })
  )

  it.scopedLive("G16: what another program wrote between the look and the rename is handed over and kept", () =>
    Effect.gen(function* () {
      let theirs = -1
      const { aside, file, path } = yield* project({
        rename: (from, to) => {
          writeSync(theirs, "theirs\n")
          nodeDisk.rename(from, to)
        }
      })
      theirs = openSync(path, "a")
      const replacement = yield* file.replace(yield* file.read, bytesOf("new\n"))
      closeSync(theirs)
      assert.strictEqual(textOf(Option.getOrThrow(replacement.displaced)), "old\ntheirs\n")
      assert.strictEqual(readFileSync(path, "utf8"), "new\n")
      assert.strictEqual(textOf(Option.getOrThrow(yield* file.recoverAside)), "old\ntheirs\n")
      yield* file.discardAside
      assert.isFalse(existsSync(aside))
      yield* file.discardAside
    })
  )

  it.scopedLive("G16 G20: bytes of equal number and time are found, as long as the file was not settled", () =>
    Effect.gen(function* () {
      const { file, path } = yield* project({
        rename: (from, to) => {
          const { atime, mtime } = statSync(path)
          writeFileSync(path, "OLD\n")
          utimesSync(path, atime, mtime)
          nodeDisk.rename(from, to)
        }
      })
      // a time that utimes can give back exactly
      utimesSync(path, 1_700_000_000, 1_700_000_000)
      const replacement = yield* file.replace(yield* file.read, bytesOf("new\n"))
      assert.strictEqual(textOf(Option.getOrThrow(replacement.displaced)), "OLD\n")
    })
  )

  it.scopedLive("G16: an aside that was not dealt with is not written over", () =>
    Effect.gen(function* () {
      const { aside, file, path } = yield* project()
      writeFileSync(aside, "theirs\n")
      const error = yield* Effect.flip(file.replace(yield* file.read, bytesOf("new\n")))
      assert.deepInclude(error, { _tag: "IssueFileFailure", operation: "link", code: "EEXIST" })
      assert.strictEqual(readFileSync(path, "utf8"), "old\n")
      assert.strictEqual(readFileSync(aside, "utf8"), "theirs\n")
    })
  )

  it.scopedLive("G16: without hard links the replaced file is compared all the same", () =>
    Effect.gen(function* () {
      let write = false
      const { beads, file, path } = yield* project({
        link: from => {
          throw failing("link", "EPERM")(from)
        },
        rename: (from, to) => {
          if (write) appendFileSync(path, "theirs\n")
          nodeDisk.rename(from, to)
        }
      })
      const first = yield* file.replace(yield* file.read, bytesOf("new\n"))
      assert.isTrue(Option.isNone(first.displaced))
      write = true
      const second = yield* file.replace(yield* file.read, bytesOf("newer\n"))
      assert.strictEqual(textOf(Option.getOrThrow(second.displaced)), "new\ntheirs\n")
      assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
    })
  )

  it.scopedLive("G28: interruption leaves the old file or the new one, and no temp file", () =>
    Effect.gen(function* () {
      for (const moment of ["write", "fsync"] as const) {
        let reached = () => {}
        const { beads, file, path } = yield* project({
          [moment]: (...args: Parameters<Disk["write"]>) => {
            reached()
            return nodeDisk[moment](...args)
          }
        })
        const before = yield* file.read
        const fiber = yield* Effect.fork(file.replace(before, bytesOf("new\n")))
        yield* Effect.async<void>(resume => {
          reached = () => resume(Effect.void)
        })
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(readFileSync(path, "utf8"), "old\n")
        assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
      }
    })
  )
})

describe("IssueFile and faults", () => {
  for (const [operation, code] of [
    ["open", "EACCES"],
    ["write", "ENOSPC"],
    ["fsync", "EIO"]
  ] as const) {
    it.scopedLive(`G29: a failing ${operation} leaves the old file and no temp file`, () =>
      Effect.gen(function* () {
        let failed = 0
        const { beads, file, path } = yield* project({
          [operation]: (path: string, ...rest: ReadonlyArray<never>) => {
            if (!path.endsWith(".tmp")) return (nodeDisk[operation] as (...args: unknown[]) => unknown)(path, ...rest)
            return Effect.suspend(() => {
              failed++
              return Effect.fail(failing(operation, code)(path))
            })
          }
        })
        const error = yield* Effect.flip(file.replace(yield* file.read, bytesOf("new\n")))
        assert.deepInclude(error, { _tag: "IssueFileFailure", operation, code })
        assert.strictEqual(failed, 1, "once, and not again")
        assert.strictEqual(readFileSync(path, "utf8"), "old\n")
        assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
      })
    )
  }

  it.scopedLive("G29: a failing rename leaves the old file alone in its place", () =>
    Effect.gen(function* () {
      const { beads, file, path } = yield* project({
        rename: from => {
          throw failing("rename", "EIO")(from)
        }
      })
      const error = yield* Effect.flip(file.replace(yield* file.read, bytesOf("new\n")))
      assert.deepInclude(error, { _tag: "IssueFileFailure", operation: "rename", code: "EIO" })
      assert.strictEqual(readFileSync(path, "utf8"), "old\n")
      assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
    })
  )

  for (const content of ["old\n", undefined]) {
    it.scopedLive(
      `G29: a failing fsync of the directory takes the rename back (${content ? "a file" : "no file"} before)`,
      () =>
        Effect.gen(function* () {
          const { beads, file, path } = yield* project({
            fsync: (path, descriptor) =>
              path.endsWith(".tmp") ? nodeDisk.fsync(path, descriptor) : Effect.fail(failing("fsync", "EIO")(path))
          })
          if (content === undefined) rmSync(path)
          const error = yield* Effect.flip(file.replace(yield* file.read, bytesOf("new\n")))
          assert.deepInclude(error, { _tag: "IssueFileFailure", operation: "fsync", code: "EIO" })
          assert.deepStrictEqual(readdirSync(beads), content === undefined ? [] : ["issues.jsonl"])
          if (content !== undefined) assert.strictEqual(readFileSync(path, "utf8"), content)
        })
    )
  }

  it.scopedLive("G29: without its directory the file fails typed", () =>
    Effect.gen(function* () {
      const root = yield* temporaryDirectory
      const path = join(root, ".beads", "issues.jsonl")
      const error = yield* Effect.flip(IssueFile.make({ path, gitTimeout: 0 }))
      assert.deepInclude(error, { _tag: "IssueFileFailure", code: "ENOENT" })
    })
  )

  it.scopedLive(
    "G12 G29: where the system takes a part of a write and then no more, the old file stays",
    () =>
      Effect.gen(function* () {
        const { beads, path } = yield* project()
        const limited = yield* run([
          "bash",
          "-c",
          'ulimit -f 1500 && exec "$@"',
          "bash",
          ...taskCommand("replace", path, "b", "3000000")
        ])
        const { output } = yield* limited.ended
        assert.include(output, "failed: write EFBIG")
        assert.strictEqual(readFileSync(path, "utf8"), "old\n")
        assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
      }),
    60_000
  )

  it.scopedLive(
    "G12 G29: on a full disk the old file stays",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryDirectory
        const path = join(root, ".beads", "issues.jsonl")
        const script = `mount -t tmpfs -o size=1500k none "$1" && cd "$1" && mkdir .beads && echo old > .beads/issues.jsonl &&
          shift && "$@" && cat .beads/issues.jsonl && ls -A .beads && (dd if=/dev/zero of=full bs=1M count=3 2>&1 | grep -q 'No space' && echo was full)`
        const full = yield* run([
          ...["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", root],
          ...taskCommand("replace", path, "b", "3000000")
        ])
        const { output } = yield* full.ended
        assert.strictEqual(output, "ready\nfailed: write ENOSPC\nold\nissues.jsonl\nwas full\n")
      }),
    60_000
  )

  it.scopedLive(
    "G29: in a directory that may not be written to the old file stays",
    () =>
      Effect.gen(function* () {
        const { beads, path } = yield* project()
        const script = `chmod 555 "$1" && ! touch "$1/probe" 2>/dev/null && shift && exec "$@"`
        const drop = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : []
        const denied = yield* run([
          ...drop,
          "sh",
          "-c",
          script,
          "sh",
          beads,
          ...taskCommand("replace", path, "b", "10")
        ])
        const { output } = yield* denied.ended
        chmodSync(beads, 0o755)
        assert.strictEqual(output, "ready\nfailed: open EACCES\n")
        assert.strictEqual(readFileSync(path, "utf8"), "old\n")
      }),
    60_000
  )

  it.scopedLive(
    "G29: on a read-only file system the old file stays",
    () =>
      Effect.gen(function* () {
        const { beads, path } = yield* project()
        const script = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && ! touch "$1/probe" 2>/dev/null && shift && exec "$@"`
        const readOnly = yield* run([
          ...["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", beads],
          ...taskCommand("replace", path, "b", "10")
        ])
        assert.strictEqual((yield* readOnly.ended).output, "ready\nfailed: open EROFS\n")
        assert.strictEqual(readFileSync(path, "utf8"), "old\n")
      }),
    60_000
  )

  it.scopedLive(
    "G12: the system is asked for fsync of the temp file, then rename, then fsync of the directory",
    () =>
      Effect.gen(function* () {
        const { beads, path } = yield* project()
        const traced = yield* run(
          [
            ...[
              "strace",
              "-f",
              "--seccomp-bpf",
              "-y",
              "-qq",
              "-e",
              "trace=write,fsync,rename,renameat,renameat2,pwrite64"
            ],
            ...["-o", join(beads, "..", "trace"), ...taskCommand("replace", path, "b", "100")]
          ],
          // one thread for all file operations, so that the trace has their order
          { UV_THREADPOOL_SIZE: "1" }
        )
        const { code, output } = yield* traced.ended
        assert.strictEqual(code, 0, output)
        assert.include(output, "replaced, displaced: false")
        const lines = readFileSync(join(beads, "..", "trace"), "utf8").split("\n")
        const calls = lines.flatMap((line, i) => {
          if (!line.includes(".beads")) return []
          const [, thread = "", call = "", name = ""] = /^(\d+) +(\w+)\(.*?([^/<">]+)[>"]/.exec(line) ?? []
          // while a call of the pool lasts, strace may show one of another thread
          const end = line.includes("<unfinished ...>")
            ? (lines.slice(i).find(later => later.startsWith(thread) && later.includes(`${call} resumed>`)) ?? "")
            : line
          return [`${call} ${name.replace(/\.\d+\.[0-9a-f]+\.tmp$/, ".tmp")} ${/ = (-?\d+)/.exec(end)?.[1]}`]
        })
        assert.deepStrictEqual(calls, [
          "pwrite64 .issues.jsonl.tmp 100",
          "fsync .issues.jsonl.tmp 0",
          "rename .issues.jsonl.tmp 0",
          "fsync .beads 0"
        ])
      }),
    60_000
  )

  it.scopedLive(
    "G12: a reader sees the old file or the new one, whole, at any moment",
    () =>
      Effect.gen(function* () {
        const { file, path } = yield* project({}, "a".repeat(100_000))
        const watcher = yield* runTask("watch", path)
        yield* watcher.says("watching")
        for (let publish = 0; publish < 60; publish++) {
          const text = publish % 2 === 0 ? "b".repeat(300_000) : "a".repeat(100_000)
          yield* file.replace(yield* file.read, bytesOf(text))
        }
        watcher.process.stdin?.end()
        assert.include((yield* watcher.ended).output, "whole: true, broken: 0")
      }),
    60_000
  )
})

describe("IssueFile and links", () => {
  it.scopedLive("G12: a link to a file inside the work tree is followed, and stays a link", () =>
    Effect.gen(function* () {
      const { make, path, root } = yield* project()
      rmSync(path)
      const real = join(root, "data", "real.jsonl")
      mkdirSync(join(root, "data"))
      writeFileSync(real, "old\n")
      symlinkSync("../data/real.jsonl", path)
      const file = yield* make
      assert.strictEqual(file.path, real)
      yield* file.replace(yield* file.read, bytesOf("new\n"))
      assert.strictEqual(readFileSync(real, "utf8"), "new\n")
      assert.deepStrictEqual(readdirSync(join(root, "data")), ["real.jsonl"])
      assert.deepStrictEqual(readdirSync(join(root, ".beads")), ["issues.jsonl"])
    })
  )

  it.scopedLive("G12 G33: a link to anywhere else is refused", () =>
    Effect.gen(function* () {
      const { make, path, root } = yield* project()
      const outside = join(yield* temporaryDirectory, "outside.jsonl")
      writeFileSync(outside, "theirs\n")
      writeFileSync(join(root, ".git", "config"), "")
      writeFileSync(join(root, ".beads", "beads.db"), "")
      mkdirSync(join(root, "directory"))
      symlinkSync(outside, join(root, "hop"))
      for (const target of [
        outside,
        "../hop",
        "../.git/config",
        "../directory",
        "/dev/null",
        "beads.db",
        "beads.db-wal",
        "issues.jsonl",
        "../../missing.jsonl"
      ]) {
        rmSync(path)
        symlinkSync(target, path)
        const error = yield* Effect.flip(make)
        assert.strictEqual(error._tag, "IssueFileRefused", target)
      }
      assert.strictEqual(readFileSync(outside, "utf8"), "theirs\n")
    })
  )

  it.scopedLive("G12 G33: a `.beads` that leads out of the work tree is refused", () =>
    Effect.gen(function* () {
      const { root } = yield* project()
      const elsewhere = yield* temporaryDirectory
      writeFileSync(join(elsewhere, "issues.jsonl"), "")
      rmSync(join(root, ".beads"), { recursive: true })
      symlinkSync(elsewhere, join(root, ".beads"))
      const options = { path: join(root, ".beads", "issues.jsonl"), gitTimeout: 0 }
      assert.strictEqual((yield* Effect.flip(IssueFile.make(options)))._tag, "IssueFileRefused")
      yield* IssueFile.make({ ...options, workTree: elsewhere })
    })
  )

  for (const where of ["outside of the work tree", "to another file in it"]) {
    it.scopedLive(`G12 G33: a link that is turned elsewhere later, ${where}, is noticed`, () =>
      Effect.gen(function* () {
        const { file, path, root } = yield* project()
        const elsewhere = join(where.startsWith("to") ? root : yield* temporaryDirectory, "elsewhere.jsonl")
        writeFileSync(elsewhere, "old\n")
        const before = yield* file.read
        rmSync(path)
        symlinkSync(elsewhere, path)
        assert.strictEqual((yield* Effect.flip(file.read))._tag, "IssueFileRefused")
        assert.strictEqual((yield* Effect.flip(file.stamp))._tag, "IssueFileRefused")
        assert.strictEqual((yield* Effect.flip(file.replace(before, bytesOf("new\n"))))._tag, "IssueFileRefused")
        assert.strictEqual(readFileSync(elsewhere, "utf8"), "old\n")
      })
    )
  }
})

describe("IssueFile.recoverAside", () => {
  it.scopedLive("G12: temp files of dead processes are swept, other files are not", () =>
    Effect.gen(function* () {
      const { beads, file } = yield* project()
      const others = ["issues.jsonl", ".issues.jsonl.1.tmp.orig", ".other.jsonl.1.ab.tmp", "issues.jsonl.1.ab.tmp"]
      for (const name of [...others, ".issues.jsonl.1.ab.tmp", ".issues.jsonl.99999.0.tmp"]) {
        writeFileSync(join(beads, name), "")
      }
      assert.isTrue(Option.isNone(yield* file.recoverAside))
      assert.deepStrictEqual(readdirSync(beads).sort(), others.sort())
    })
  )

  it.scopedLive("G28: after a crash between link and rename nothing was replaced", () =>
    Effect.gen(function* () {
      const { aside, beads, file, path } = yield* project()
      nodeDisk.link(path, aside)
      assert.isTrue(Option.isNone(yield* file.recoverAside))
      assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
    })
  )

  it.scopedLive(
    "G28: after a crash between rename and comparison the replaced file is handed over until discarded",
    () =>
      Effect.gen(function* () {
        const { aside, file, path } = yield* project()
        nodeDisk.rename(path, aside)
        writeFileSync(path, "new\n")
        for (let time = 0; time < 2; time++) {
          assert.strictEqual(textOf(Option.getOrThrow(yield* file.recoverAside)), "old\n")
        }
        yield* file.discardAside
        assert.isTrue(Option.isNone(yield* file.recoverAside))
      })
  )

  it.scopedLive("G14: the rename of a publish that crashed lasts before its aside is gone for good", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const { aside, file, path } = yield* project({
        unlink: entry => {
          calls.push(`unlink ${entry === aside ? "aside" : entry}`)
          nodeDisk.unlink(entry)
        },
        fsync: (entry, descriptor) => {
          calls.push(`fsync ${entry.replace(/.*\//, "")}`)
          return nodeDisk.fsync(entry, descriptor)
        }
      })
      nodeDisk.rename(path, aside)
      writeFileSync(path, "new\n")
      yield* file.discardAside
      assert.deepStrictEqual(calls, ["unlink aside", "fsync .beads"])
    })
  )

  for (const [call, left] of [
    ["fsync", "old"],
    ["link", "old"],
    ["rename", "old"],
    ["fsync", "new"],
    ["unlink", "new"]
  ] as const) {
    it.scopedLive(
      `G28: killed at its ${call}, it leaves the ${left} file, and the next process goes on from there`,
      () =>
        Effect.gen(function* () {
          const { beads, file, path } = yield* project()
          // of the two fsyncs the second is that of the directory
          const ordinal = call === "fsync" && left === "new" ? 2 : 1
          const killed = yield* run(
            [
              ...["strace", "-f", "-qq", "-o", "/dev/null"],
              ...["-e", `inject=${call}:signal=KILL:when=${ordinal}`],
              ...taskCommand("replace", path, "n", "100")
            ],
            { UV_THREADPOOL_SIZE: "1", TSX_DISABLE_CACHE: "1" }
          )
          const { code, output } = yield* killed.ended
          assert.isNull(code, output)
          assert.strictEqual(output, "ready\n")
          const now = readFileSync(path, "utf8")
          assert.strictEqual(now, left === "old" ? "old\n" : "n".repeat(100))
          const aside = yield* file.recoverAside
          assert.strictEqual(Option.isSome(aside), left === "new")
          if (Option.isSome(aside)) assert.strictEqual(textOf(aside.value), "old\n")
          yield* file.discardAside
          yield* file.replace(yield* file.read, bytesOf("next\n"))
          assert.strictEqual(readFileSync(path, "utf8"), "next\n")
          assert.deepStrictEqual(readdirSync(beads), ["issues.jsonl"])
        }),
      60_000
    )
  }

  it.scopedLive("G33: an aside that is a link is not followed", () =>
    Effect.gen(function* () {
      const { aside, file } = yield* project()
      symlinkSync("/etc/hostname", aside)
      assert.strictEqual((yield* Effect.flip(file.recoverAside))._tag, "IssueFileRefused")
    })
  )
})
