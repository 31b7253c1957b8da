/** The standard streams of this process. */
import { fstatSync, writeSync } from "node:fs"
import * as Effect from "effect/Effect"
import { FileUnusable } from "./CliError.ts"
import * as Escape from "./Escape.ts"
import { type Screen, Stdio, type Style, type Styled } from "./Stdio.ts"

/** The code of an error of the system. */
const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null | undefined)?.code

type Name = "stdout" | "stderr"

const descriptors = { stdout: 1, stderr: 2 } as const

/** Those that Node's own stream has been made for: what is written next goes behind what that has not written yet. */
const streams = new Map<Name, NodeJS.WriteStream>()

const streamOf = (name: Name): NodeJS.WriteStream => {
  const made = streams.get(name)
  if (made !== undefined) return made
  const stream = process[name]
  stream.on("error", () => {
    // told to the callback of the write; without a listener it would be thrown
  })
  streams.set(name, stream)
  return stream
}

/** Writes as much as the descriptor takes at once; what is left. */
const writeNow = (name: Name, chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const left = [...chunks]
  try {
    for (let first = left[0]; first !== undefined; first = left[0]) {
      const rest = first.subarray(writeSync(descriptors[name], first))
      if (rest.length > 0) left[0] = rest
      else left.shift()
    }
  } catch (error) {
    if (codeOf(error) !== "EAGAIN") throw error
  }
  return left
}

/** Node's streams are made only for a reader that is slow, or a terminal: they take longer than the writing. */
const write = (name: Name, chunks: ReadonlyArray<Uint8Array>) =>
  Effect.async<void>(resume => {
    const done = (error: unknown) => {
      const code = codeOf(error)
      // the reader is gone (`bd list | head`): it has seen enough. Node says so of later writes by the second code
      const silent = code === undefined || code === "EPIPE" || code === "ERR_STREAM_DESTROYED"
      resume(silent ? Effect.void : Effect.dieMessage(`${name} cannot be written (${code})`))
    }
    try {
      const left = streams.has(name) ? chunks : writeNow(name, chunks)
      const [last] = left.slice(-1)
      if (last === undefined) return done(undefined)
      const stream = streamOf(name)
      for (const chunk of left.slice(0, -1)) stream.write(chunk)
      stream.write(last, done)
    } catch (error) {
      done(error)
    }
  })

const readAll = Effect.tryPromise({
  try: async () => {
    const chunks: Array<Buffer> = []
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
    return new Uint8Array(Buffer.concat(chunks))
  },
  catch: cause => new FileUnusable({ path: "stdin", detail: "it cannot be read", cause })
})

let statusShown = false

/** Takes the status line away before something else is written, to whichever stream: both may be the one terminal. */
const clearStatus = () => {
  if (!statusShown) return
  statusShown = false
  streamOf("stderr").write("\r\u001b[K")
}

const statusLine = (text: string) => {
  clearStatus()
  if (text === "" || !hasStatusLine()) return
  // one that is as wide as the terminal would go on in the next line, which is not taken away
  const stream = streamOf("stderr")
  stream.write(Escape.line(text).slice(0, Math.max(0, (stream.columns || 80) - 1)))
  statusShown = true
}

/** For log entries. */
export const writeError = (text: string) => {
  clearStatus()
  streamOf("stderr").write(text)
}

/** Calls back when all log entries are written, or cannot be. */
export const whenErrorsWritten = (callback: () => void) => {
  const stream = streams.get("stderr")
  if (stream === undefined) callback()
  else stream.write("", callback)
}

/** Whether it is one. Only a character device can be, and there alone Node is asked. */
const isTerminal = (name: Name): boolean => {
  try {
    return fstatSync(descriptors[name]).isCharacterDevice() && streamOf(name).isTTY
  } catch {
    // closed
    return false
  }
}

const isDumb = (): boolean => process.env["TERM"] === "dumb"

/** Asked when there is something to show: to know takes time. */
const hasStatusLine = (): boolean => isTerminal("stderr") && !isDumb()

const screen = (): Screen | undefined =>
  isTerminal("stdout")
    ? {
        // one whose size nobody has set says 0
        columns: process.stdout.columns || Math.max(0, Number(process.env["COLUMNS"])) || undefined,
        colours: !process.env["NO_COLOR"] && !isDumb()
      }
    : undefined

/** Select graphic rendition, by its codes. */
const codes: Readonly<Record<Style, string>> = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  blue: "34",
  magenta: "35",
  cyan: "36",
  boldRed: "1;31"
}

/** The only control sequences that reach stdout: the texts between them are escaped. */
const rendered = (text: Styled): string =>
  text
    .map(part =>
      typeof part === "string" ? Escape.text(part) : `\u001b[${codes[part.style]}m${Escape.text(part.text)}\u001b[0m`
    )
    .join("")

const cleared = <A>(write: Effect.Effect<A>) => Effect.zipRight(Effect.sync(clearStatus), write)

export const make = (): Stdio["Type"] =>
  Stdio.of({
    out: text => cleared(write("stdout", [Buffer.from(Escape.text(text))])),
    outJson: json => cleared(write("stdout", [Buffer.from(Escape.json(json))])),
    outEscaped: parts =>
      cleared(
        write(
          "stdout",
          parts.map(({ bytes }) => bytes)
        )
      ),
    outStyled: text => cleared(write("stdout", [Buffer.from(rendered(text))])),
    screen,
    outBytes: parts => cleared(write("stdout", parts)),
    // where stderr cannot be written there is nowhere left to say so
    err: text => cleared(Effect.exit(write("stderr", [Buffer.from(Escape.text(text))]))),
    statusLine,
    readAll
  })
