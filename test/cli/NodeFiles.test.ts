/** The file system of the command line answers as Node's does. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeFiles from "../../src/cli/NodeFiles.ts"

/** What each question is answered with: the value, or how it fails. */
const answers = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const failure = (error: { readonly _tag: string; readonly reason?: string }) => `${error._tag} ${error.reason}`
    return {
      exists: yield* Effect.catchAll(fs.exists(path), error => Effect.succeed(failure(error))),
      stat: yield* Effect.catchAll(
        Effect.map(fs.stat(path), ({ atime: _, ...info }) => info),
        error => Effect.succeed(failure(error))
      ),
      readFile: yield* Effect.catchAll(
        Effect.map(fs.readFile(path), bytes => [...bytes]),
        error => Effect.succeed(failure(error))
      ),
      readFileString: yield* Effect.catchAll(fs.readFileString(path), error => Effect.succeed(failure(error)))
    }
  })

it.effect("G33: what a name leads to is the same as by Node's own way, also if it is none, or cannot be one", () =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "node-files-"))),
      path => Effect.sync(() => rmSync(path, { recursive: true }))
    )
    const at = (name: string) => join(directory, name)
    writeFileSync(at("text"), "missing")
    writeFileSync(at("bom"), "\ufeffé\n")
    writeFileSync(at("bytes"), Buffer.from([0xff, 0, 0x80]))
    writeFileSync(at("empty"), "")
    writeFileSync(at("large"), "x".repeat(100_000))
    mkdirSync(at("directory"))
    symlinkSync("text", at("link"))
    symlinkSync("nowhere", at("dangling"))
    symlinkSync("loop", at("loop"))
    const names = ["text", "bom", "bytes", "empty", "large", "directory", "link", "dangling", "loop", "none", "text/in"]
    for (const path of [...names.map(at), "/dev/null", at("nul\0"), at("n".repeat(300))]) {
      const ours = yield* Effect.exit(answers(path)).pipe(Effect.provide(NodeFiles.layer))
      const theirs = yield* Effect.exit(answers(path)).pipe(Effect.provide(NodeFileSystem.layer))
      assert.deepStrictEqual(ours, theirs, path)
    }
  }).pipe(Effect.scoped)
)
