/** The standard streams of this process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { FileUnusable } from "./CliError.ts"
import * as Escape from "./Escape.ts"
import { Stdio } from "./Stdio.ts"

const write = (stream: NodeJS.WriteStream, name: string, chunk: string | Uint8Array) =>
  Effect.async<void>(resume => {
    stream.write(chunk, error => {
      const code = error === null || error === undefined ? undefined : (error as NodeJS.ErrnoException).code
      // the reader is gone (`bd list | head`): it has seen enough. Node says so of later writes by the second code
      const silent = code === undefined || code === "EPIPE" || code === "ERR_STREAM_DESTROYED"
      resume(silent ? Effect.void : Effect.dieMessage(`${name} cannot be written (${code})`))
    })
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
  process.stderr.write("\r\u001b[K")
}

const statusLine = (text: string) => {
  clearStatus()
  if (text === "") return
  // one that is as wide as the terminal would go on in the next line, which is not taken away
  process.stderr.write(Escape.line(text).slice(0, Math.max(0, (process.stderr.columns || 80) - 1)))
  statusShown = true
}

/** For log entries. */
export const writeError = (text: string) => {
  clearStatus()
  process.stderr.write(text)
}

const cleared = <A>(write: Effect.Effect<A>) => Effect.zipRight(Effect.sync(clearStatus), write)

export const layer: Layer.Layer<Stdio> = Layer.sync(Stdio, () => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {
      // told to the callback of the write; without a listener it would be thrown
    })
  }
  return Stdio.of({
    out: text => cleared(write(process.stdout, "stdout", Escape.text(text))),
    outBytes: bytes => cleared(write(process.stdout, "stdout", bytes)),
    // where stderr cannot be written there is nowhere left to say so
    err: text => cleared(Effect.exit(write(process.stderr, "stderr", Escape.text(text)))),
    statusLine: process.stderr.isTTY && process.env["TERM"] !== "dumb" ? statusLine : undefined,
    readAll
  })
})
