/** Store and issue file for the tests of the flush layer: both real, in a directory of their own. */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Effect, Layer, Logger, Option } from "effect"
import * as Exporter from "../../src/flush/Exporter.ts"
import * as IntegrityChecker from "../../src/flush/IntegrityChecker.ts"
import * as Reconciler from "../../src/flush/Reconciler.ts"
import { type Disk, nodeDisk } from "../../src/issue-file/Disk.ts"
import * as GitHistory from "../../src/issue-file/GitHistory.ts"
import * as IssueFile from "../../src/issue-file/IssueFile.ts"
import * as IssueLines from "../../src/issue-file/IssueLines.ts"
import * as IssueLock from "../../src/issue-file/IssueLock.ts"
import { IssueStore, type MarkedRow } from "../../src/store/IssueStore.ts"
import * as SqliteStore from "../../src/store/SqliteStore.ts"
import { recordOf } from "../recordOf.ts"

export type Members = Readonly<Record<string, unknown>>

export const at = (second: number) => `2026-02-01T00:00:${String(second).padStart(2, "0")}Z`

export const line = (members: Members): string =>
  JSON.stringify({
    id: "a-1",
    title: "t",
    status: "open",
    priority: 2,
    created_at: "2026-01-01T00:00:00Z",
    updated_at: at(0),
    ...members
  })

export const fields = (text: string | undefined): Members => JSON.parse(text ?? "{}")

export const file = (...lines: ReadonlyArray<string>) => lines.map(text => `${text}\n`).join("")

/** `content`: the issue file at first, none for a missing one. `disk`: what other programs do between its calls. */
export const workbench = Effect.fnUntraced(function* (
  options: {
    readonly content?: string | undefined
    readonly disk?: Partial<Disk>
    readonly mergeBase?: string
    readonly store?: Layer.Layer<IssueStore, unknown>
  } = {}
) {
  const root = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "flush-"))),
    directory => Effect.sync(() => rmSync(directory, { recursive: true }))
  )
  const beads = join(root, ".beads")
  mkdirSync(beads)
  mkdirSync(join(root, ".git"))
  writeFileSync(join(root, ".git", "HEAD"), "ref: refs/heads/main\n")
  const path = join(beads, "issues.jsonl")
  if (options.content !== undefined) writeFileSync(path, options.content)
  const warnings: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel.label === "WARN") warnings.push(String(message))
  })

  const issueFile = Layer.effect(
    IssueFile.IssueFile,
    IssueFile.make({ path, gitTimeout: "2 seconds" }, { ...nodeDisk, ...options.disk })
  )
  const history = Layer.succeed(GitHistory.GitHistory, {
    ancestors: () =>
      Effect.succeed(
        new Map(IssueLines.read(Buffer.from(options.mergeBase ?? "")).lines.map(({ id, text }) => [id, text]))
      )
  })
  const layer = Exporter.layer.pipe(
    Layer.provideMerge(Reconciler.layer),
    Layer.provideMerge(IntegrityChecker.layer),
    Layer.provideMerge(options.store ?? SqliteStore.layer({ path: join(beads, "beads.db") })),
    Layer.provideMerge(
      Layer.mergeAll(issueFile, history, IssueLock.layer({ path: `${path}.lock`, timeout: "5 seconds" }))
    )
  )
  // runs with the scope of the test, so that its warnings are heard
  const services = yield* Layer.build(layer)
  const hear = Effect.provide(Logger.replace(Logger.defaultLogger, logger))
  const store = Context.get(services, IssueStore)
  const lock = Context.get(services, IssueLock.IssueLock)
  const reconciler = Context.get(services, Reconciler.Reconciler)
  const exporter = Context.get(services, Exporter.Exporter)
  const integrity = Context.get(services, IntegrityChecker.IntegrityChecker)

  return {
    root,
    beads,
    path,
    warnings,
    store,
    integrity,
    file: Context.get(services, IssueFile.IssueFile),
    /** As every caller does: under the lock. */
    reconcile: hear(lock.withLock(Effect.ensuring(reconciler.reconcile, integrity.release))),
    absorb: (text: string, how?: Parameters<typeof reconciler.absorb>[1]) =>
      hear(lock.withLock(reconciler.absorb(Buffer.from(text), how))),
    flush: hear(exporter.flush({ full: false })),
    flushFull: hear(exporter.flush({ full: true })),
    pending: exporter.pending,
    /** A change as the tracker makes it: reconciled first, marked against the base. */
    change: (text: string) =>
      hear(
        lock.withLock(
          Effect.gen(function* () {
            yield* reconciler.reconcile
            const issue = recordOf(text)
            const row = Option.getOrUndefined(yield* store.row(issue.id))
            const base = row === undefined ? undefined : row.mark === undefined ? row.line : row.mark.base
            yield* store.transaction(store.write([{ record: issue, state: { _tag: "dirty", base } }]))
            yield* integrity.release
          })
        )
      ),
    row: (id: string) => Effect.map(store.row(id), Option.getOrUndefined),
    text: () => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
    lines: () =>
      existsSync(path)
        ? readFileSync(path, "utf8")
            .split("\n")
            .filter(text => text !== "")
        : [],
    /** Identity and content of the issue file: any write shows in it. */
    stamp: () => {
      const { ctimeNs, ino, mtimeNs } = statSync(path, { bigint: true })
      return `${ino}:${mtimeNs}:${ctimeNs}`
    },
    names: () => readdirSync(beads).filter(name => !name.startsWith("beads.db") && !name.endsWith(".lock"))
  }
})

export const hashOf = (text: string) => createHash("sha256").update(text).digest("hex")

/** What a mark says, for comparison. */
export const marksOf = (rows: ReadonlyArray<MarkedRow>) =>
  rows.filter(({ mark }) => mark !== undefined).map(({ id }) => id)
