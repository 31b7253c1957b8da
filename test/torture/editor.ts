/**
 * Another program that writes the issue file, as editors and scripts do, without a lock. It reads and writes in one
 * breath, so what it takes as a basis is older than what it replaces only if `bd` was faster; of that it keeps account.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { performance } from "node:perf_hooks"
import type { Random } from "./budget.ts"

/** Milliseconds since the epoch, to the microsecond. */
export const now = (): number => performance.timeOrigin + performance.now()

export const kinds = ["append", "rename", "sort", "in place", "same size"] as const

export interface Edit {
  readonly kind: (typeof kinds)[number]
  /** What it put into the file; none: it moved lines only. */
  readonly token: string | undefined
  /** From before it read until after it wrote. */
  readonly start: number
  readonly end: number
  /**
   * Written into a file that had been replaced by then: into nothing, by the time it was written. Only what is written in
   * place can be overtaken.
   */
  readonly overtaken: boolean
}

const textsOf = (file: string): ReadonlyArray<string> =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter(line => line !== "")

const fileOf = (texts: ReadonlyArray<string>): string => texts.map(line => `${line}\n`).join("")

/** A member that nobody else knows, on one of the lines. */
const signed = (texts: ReadonlyArray<string>, token: string, random: Random): ReadonlyArray<string> => {
  const at = random.below(texts.length)
  return texts.map((line, i) => (i === at && line.startsWith("{") ? `${line.slice(0, -1)},"${token}":1}` : line))
}

const replace = (file: string, content: string): void => {
  writeFileSync(`${file}.edited`, content)
  renameSync(`${file}.edited`, file)
}

/** Writes through a descriptor; whether the file still had its name afterwards. */
const through = (file: string, flags: string, write: (descriptor: number) => void): boolean => {
  const descriptor = openSync(file, flags)
  try {
    write(descriptor)
    return fstatSync(descriptor).ino === statSync(file).ino
  } finally {
    closeSync(descriptor)
  }
}

const newLine = (id: string, token: string): string =>
  JSON.stringify({
    id,
    title: `edited in as ${id}`,
    status: "open",
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-01T00:00:00Z",
    [token]: 1
  })

/** Makes one edit. */
export const edit = (file: string, number: number, random: Random): Edit => {
  const kind = random.pick(kinds)
  const token = `edit-${number}-`
  const start = now()
  let named = true
  let put: string | undefined = token
  if (kind === "append") {
    named = through(file, "a", descriptor => writeSync(descriptor, `${newLine(`t-e${number}`, token)}\n`))
  } else if (kind === "rename") {
    replace(file, fileOf(signed(textsOf(file), token, random)))
  } else if (kind === "sort") {
    put = undefined
    replace(file, fileOf([...textsOf(file)].sort(random.below(2) === 0 ? undefined : () => random.below(3) - 1)))
  } else {
    const texts = textsOf(file)
    // twice at once, the second time with as many bytes: within one tick of the clock the stamps are equal
    const contents = [fileOf(signed(texts, token, random))]
    if (kind === "same size")
      contents.unshift(...contents.map(text => text.replace(token, token.replace("edit", "tide"))))
    named = through(file, "r+", descriptor => {
      for (const content of contents) {
        ftruncateSync(descriptor, 0)
        writeSync(descriptor, content, 0)
      }
    })
  }
  return { kind, token: put, start, end: now(), overtaken: !named }
}

const marker = "<<<<<<< a merge that was left\n"

/** Leaves a conflict marker behind; gives what the file holds then, if it was not replaced meanwhile. */
export const spoil = (file: string): Buffer | undefined => {
  const before = readFileSync(file)
  const named = through(file, "a", descriptor => writeSync(descriptor, marker))
  const after = readFileSync(file)
  return named && after.equals(Buffer.concat([before, Buffer.from(marker)])) ? after : undefined
}

/** Takes the marker out. */
export const heal = (file: string): void => replace(file, readFileSync(file, "utf8").replaceAll(marker, ""))

export const isSpoilt = (bytes: Buffer): boolean => bytes.includes(marker)
