/** Runs `bd` in this process: real files in a directory of its own, captured streams, an environment of its own. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { expect } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { Environment } from "../../src/cli/Environment.ts"
import * as Escape from "../../src/cli/Escape.ts"
import * as Output from "../../src/cli/Output.ts"
import * as Program from "../../src/cli/Program.ts"
import { type Screen, Stdio } from "../../src/cli/Stdio.ts"
import { WorkingDirectory } from "../../src/cli/WorkingDirectory.ts"

export interface Ran {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface Options {
  readonly stdin?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Where it shows a bar; without one it has no terminal. */
  readonly statusLine?: (text: string) => void
  /** What its stdout is shown on, if that is a terminal; the text of each style then stands in angle brackets. */
  readonly screen?: Screen
  /** Told of what it says, at the moment it says it. */
  readonly onError?: (text: string) => void
}

/** A directory that goes when the scope closes. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "bd-cli-"))),
  made => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

/** `bd` in a directory, run to its end; with its scopes closed. */
export const bd = (cwd: string, words: ReadonlyArray<string>, options: Options = {}): Effect.Effect<Ran> =>
  Effect.suspend(() => {
    let stdout = ""
    let stderr = ""
    const stdio = Stdio.of({
      out: text => Effect.sync(() => (stdout += Escape.text(text))),
      outJson: json => Effect.sync(() => (stdout += Escape.json(json))),
      outEscaped: parts =>
        Effect.sync(() => (stdout += Buffer.concat(parts.map(({ bytes }) => bytes)).toString("utf8"))),
      outStyled: text =>
        Effect.sync(() => {
          stdout += text
            .map(part => (typeof part === "string" ? Escape.text(part) : `<${part.style}|${Escape.text(part.text)}>`))
            .join("")
        }),
      screen: () => options.screen,
      outBytes: parts => Effect.sync(() => (stdout += Buffer.concat(parts).toString("utf8"))),
      err: text =>
        Effect.sync(() => {
          stderr += Escape.text(text)
          options.onError?.(text)
        }),
      statusLine: options.statusLine ?? (() => {}),
      readAll: Effect.sync(() => Buffer.from(options.stdin ?? ""))
    })
    return Program.main(words).pipe(
      Effect.provide(
        Layer.mergeAll(
          Layer.succeed(Stdio, stdio),
          Layer.succeed(WorkingDirectory, cwd),
          NodeFileSystem.layer,
          NodePath.layer,
          NodeTerminal.layer,
          Layer.succeed(Environment, { BD_ACTOR: "ann", ...options.env }),
          Logger.replace(
            Logger.defaultLogger,
            Output.logger(text => (stderr += text))
          )
        )
      ),
      Effect.map(exitCode => ({ exitCode, stdout, stderr }))
    )
  })

/** A project set up, and `bd` in it. */
export const project = Effect.gen(function* () {
  const at = yield* directory
  const run = (...words: ReadonlyArray<string>) => bd(at, words)
  const runWith = (options: Options, ...words: ReadonlyArray<string>) => bd(at, words, options)
  const json = (...words: ReadonlyArray<string>) =>
    Effect.map(run(...words, "--json"), ({ stdout }) => JSON.parse(stdout))
  expect(yield* run("init", "--prefix", "app")).toMatchObject({ exitCode: 0, stderr: "" })
  const create = (...words: ReadonlyArray<string>) => Effect.map(json("create", ...words), (issue): string => issue.id)
  const file = path.join(at, ".beads/issues.jsonl")
  return { at, run, runWith, json, create, file, lines: () => readFileSync(file, "utf8") }
})
