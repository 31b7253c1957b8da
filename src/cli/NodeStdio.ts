/** The standard streams of this process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { FileUnusable } from "./CliError.ts"
import * as Escape from "./Escape.ts"
import { Stdio } from "./Stdio.ts"

const write = (stream: NodeJS.WriteStream, chunk: string | Uint8Array) =>
  Effect.async<void>(resume => {
    // the callback comes with an error when the reader is gone (`bd list | head`), which is silent
    stream.write(chunk, () => resume(Effect.void))
  })

const readAll = Effect.tryPromise({
  try: async () => {
    const chunks: Array<Buffer> = []
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
    return new Uint8Array(Buffer.concat(chunks))
  },
  catch: cause => new FileUnusable({ path: "stdin", detail: "it cannot be read", cause })
})

export const layer: Layer.Layer<Stdio> = Layer.sync(Stdio, () => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {
      // a closed pipe: whoever read has seen enough
    })
  }
  return Stdio.of({
    out: text => write(process.stdout, Escape.text(text)),
    outBytes: bytes => write(process.stdout, bytes),
    err: text => write(process.stderr, Escape.text(text)),
    readAll
  })
})
