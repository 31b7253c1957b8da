/**
 * What `bd` is on the command line: loads the program and runs it, in this process. Bundled as `dist/bin/bd.cjs`.
 *
 * What always is the same answer, the build has asked the program for already: front ends ask for the version often.
 */
import { writeSync } from "node:fs"
import * as Bundle from "./Bundle.ts"

declare const __BUNDLE_HASH__: string
declare const __RENDERED__: Readonly<Record<string, string>>

const words = process.argv.slice(2)
const [word, ...rest] = words
// with `BD_JSON` the same words mean another answer
const rendered =
  word === undefined || rest.length > 0 || process.env["BD_JSON"] || !Object.hasOwn(__RENDERED__, word)
    ? undefined
    : __RENDERED__[word]

const run = (): void => {
  Bundle.tuneV8()
  const program = Bundle.load(Bundle.locate(__dirname, __BUNDLE_HASH__, Bundle.useOf(words)))
  program.run(require)
}

const answer = (text: string): void => {
  const bytes = Buffer.from(text)
  let written = 0
  try {
    while (written < bytes.length) written += writeSync(1, bytes, written)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // a slow reader is waited for; one that is gone (EPIPE) has seen enough; of anything else the program tells
    if (code === "EAGAIN") process.stdout.on("error", () => {}).write(bytes.subarray(written))
    else if (code !== "EPIPE") run()
  }
}

if (rendered === undefined) run()
else answer(rendered)
