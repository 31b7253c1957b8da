/**
 * The calls by which a command changes `.beads`, from strace, as changes of the model in disk.ts.
 *
 * One log for each thread, put together by time: a call that another thread interrupts would be shown in two halves
 * else. `-shm` is not on record: it is shared memory, and SQLite makes it anew.
 */
import { readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { type Ended, run, type StartOptions, scratch } from "../system/bd.ts"
import type { Change } from "./disk.ts"

const calls = [
  ...["openat", "open", "creat", "close", "lseek", "dup", "dup2", "dup3", "fcntl"],
  ...["write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"],
  ...["ftruncate", "truncate", "fallocate", "fsync", "fdatasync", "sync_file_range", "mmap"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"],
  ...["unlink", "unlinkat", "rmdir", "mkdir", "mkdirat"]
]

/** Calls that leave content and names as they are. */
const harmless = new Set(["close", "lseek", "mmap", "fcntl"])

export interface Call {
  /** Microseconds since the epoch, when it began, and how long it took. */
  readonly at: number
  readonly took: number
  readonly name: string
  /** As strace shows it. */
  readonly text: string
  readonly result: number
}

const parse = (log: string): ReadonlyArray<Call> =>
  log.split("\n").flatMap(line => {
    const [, seconds = "", micros = "", text = "", name = "", result = "", took = "0"] =
      /^(\d+)\.(\d{6}) ((\w+)\(.*) = (-?\d+).*? <([\d.]+)>$/.exec(line) ?? []
    if (name === "") return []
    const at = Number(seconds) * 1e6 + Number(micros)
    return [{ at, took: Number(took) * 1e6, name, text: text.trimEnd(), result: Number(result) }]
  })

/** Calls of the command's own process, in order; `extra` for strace, as `-e inject=…`. */
export const traced = async (
  command: ReadonlyArray<string>,
  options: StartOptions,
  extra: ReadonlyArray<string> = []
): Promise<Ended & { readonly calls: ReadonlyArray<Call> }> => {
  const directory = scratch()
  const asked = ["-qq", "-ff", "-ttt", "-T", "-y", "-s", String(1 << 22), "-e", `trace=${calls.join()}`, ...extra]
  const ended = await run(["strace", ...asked, "-o", join(directory, "log"), "--", ...command], options)
  const logs = readdirSync(directory).map(name => parse(readFileSync(join(directory, name), "utf8")))
  const ofStore = (log: ReadonlyArray<Call>) => log.some(({ text }) => text.includes("/.beads"))
  const all = logs.filter(ofStore).flat()
  if (all.length === 0) throw new Error(`strace saw nothing of .beads: ${ended.stderr}`)
  return { ...ended, calls: all.sort((a, b) => a.at - b.at) }
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, '"': 34, "\\": 92 }

/** The bytes of a string as strace shows it. */
const bytesOf = (shown: string): Buffer =>
  Buffer.from(
    shown.replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
      String.fromCharCode(escapes[code] ?? Number.parseInt(code, 8))
    ),
    "latin1"
  )

/** What is open and where the next file number comes from; goes on from command to command. */
export interface Numbering {
  readonly names: Map<string, number>
  next: number
}

/** What a command did, and after which of it it answered. */
export interface Recorded extends Ended {
  readonly changes: ReadonlyArray<Change>
  /** That many changes came before the first byte of its answer; none: it said nothing. */
  readonly answered: number | undefined
}

const argument = /"((?:[^"\\]|\\.)*)"/g

/** Reads the calls as changes of the directory `beads`. Fails on a call that it does not know how to read. */
export const changesOf = (
  beads: string,
  all: ReadonlyArray<Call>,
  numbering: Numbering
): Pick<Recorded, "changes" | "answered"> => {
  const changes: Array<Change> = []
  const open = new Map<number, { readonly file: number | undefined; position: number; readonly append: boolean }>()
  let answered: number | undefined
  const isOurs = (path: string) => dirname(path) === beads && !path.endsWith("-shm")
  const rename = (...to: ReadonlyArray<readonly [string, number | undefined]>) => {
    for (const [name, file] of to) {
      if (file === undefined) numbering.names.delete(name)
      else numbering.names.set(name, file)
    }
    changes.push({ _tag: "Names", to })
  }
  for (const { name, result, text } of all) {
    if (name === "write" && text.startsWith("write(1<") && !text.includes("eventfd")) answered ??= changes.length
    if (result < 0) continue
    const strings = [...text.matchAll(argument)].map(([, shown = ""]) => bytesOf(shown))
    const paths = strings.map(bytes => bytes.toString())
    const path = paths[0] ?? ""
    const descriptor = Number(/^\w+\((\d+)</.exec(text)?.[1] ?? Number.NaN)
    if (name === "openat") {
      // a descriptor is used anew when it was closed, here or elsewhere
      open.delete(result)
      if (path === beads) {
        open.set(result, { file: undefined, position: 0, append: false })
      } else if (isOurs(path)) {
        const known = numbering.names.get(basename(path))
        const file = known ?? numbering.next++
        if (known === undefined) {
          if (!text.includes("O_CREAT")) throw new Error(`opened, and never made: ${text}`)
          rename([basename(path), file])
        } else if (text.includes("O_TRUNC")) changes.push({ _tag: "Resize", file, size: 0 })
        open.set(result, { file, position: 0, append: text.includes("O_APPEND") })
      }
      continue
    }
    if (name === "link" && isOurs(paths[1] ?? "")) {
      rename([basename(paths[1] ?? ""), numbering.names.get(basename(path))])
      continue
    }
    if (name === "rename" && isOurs(path)) {
      rename([basename(path), undefined], [basename(paths[1] ?? ""), numbering.names.get(basename(path))])
      continue
    }
    if (name === "unlink" && isOurs(path)) {
      rename([basename(path), undefined])
      continue
    }
    const opened = open.get(descriptor)
    if (name === "close") open.delete(descriptor)
    if (opened === undefined || harmless.has(name)) {
      const named = paths.some(isOurs) || (text.includes(`<${beads}/`) && !text.includes("-shm>"))
      if (named && !harmless.has(name)) throw new Error(`cannot read this call: ${text.slice(0, 200)}`)
      continue
    }
    const { file } = opened
    if (file === undefined) {
      if (name !== "fsync" && name !== "fdatasync") throw new Error(`of a directory: ${text}`)
      changes.push({ _tag: "SyncNames" })
    } else if (name === "fsync" || name === "fdatasync") {
      changes.push({ _tag: "Sync", file })
    } else if (name === "ftruncate") {
      changes.push({ _tag: "Resize", file, size: Number(/, (\d+)\)$/.exec(text)?.[1]) })
    } else if (name === "write" && !opened.append) {
      const bytes = (strings[0] ?? Buffer.alloc(0)).subarray(0, result)
      changes.push({ _tag: "Write", file, at: opened.position, bytes })
      opened.position += result
    } else if (name === "pwrite64") {
      const bytes = (strings[0] ?? Buffer.alloc(0)).subarray(0, result)
      changes.push({ _tag: "Write", file, at: Number(/, (\d+)\)$/.exec(text)?.[1]), bytes })
    } else throw new Error(`cannot read this call: ${text.slice(0, 200)}`)
  }
  return { changes, answered }
}

/** Runs a command and records what it does to the directory `beads`. */
export const recorded = async (
  beads: string,
  numbering: Numbering,
  command: ReadonlyArray<string>,
  options: StartOptions
): Promise<Recorded> => {
  const { calls: all, ...ended } = await traced(command, options)
  return { ...ended, ...changesOf(beads, all, numbering) }
}
