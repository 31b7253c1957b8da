/**
 * An application that embeds the tracker and lives as long as the test: reads operations as JSON lines, each with the
 * actor it is made as, runs them at once, and answers each with a JSON line `{call, exitCode, answer}`. Its flush is
 * debounced by 20 ms. When stdin ends it closes its scope, and with it flushes for the last time.
 */
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { Duration, Effect, Layer, Logger, LogLevel, Stream } from "effect"
import * as ExitCode from "../../src/cli/ExitCode.ts"
import { toJson } from "../../src/domain/Issue.ts"
import * as Exporter from "../../src/flush/Exporter.ts"
import * as FlushManager from "../../src/flush/FlushManager.ts"
import * as FlushOptions from "../../src/flush/FlushOptions.ts"
import * as IntegrityChecker from "../../src/flush/IntegrityChecker.ts"
import * as Reconciler from "../../src/flush/Reconciler.ts"
import * as GitHistory from "../../src/issue-file/GitHistory.ts"
import * as IssueFile from "../../src/issue-file/IssueFile.ts"
import * as IssueLock from "../../src/issue-file/IssueLock.ts"
import * as SqliteStore from "../../src/store/SqliteStore.ts"
import * as Tracker from "../../src/tracker/Tracker.ts"
import { importedLine, type Operation } from "./history.ts"

const directory = resolve(process.argv[2] ?? "")
const issueFile = join(directory, "issues.jsonl")
const patience = Duration.seconds(60)

const services = FlushManager.layer.pipe(
  Layer.provide(FlushOptions.layer({ debounce: "20 millis" })),
  Layer.provideMerge(Exporter.layer),
  Layer.provideMerge(Reconciler.layer),
  Layer.provideMerge(IntegrityChecker.layer),
  Layer.provideMerge(SqliteStore.layer({ path: join(directory, "beads.db"), busyTimeout: patience })),
  Layer.provideMerge(IssueLock.layer({ path: `${issueFile}.lock`, timeout: patience })),
  Layer.provideMerge(GitHistory.layer(issueFile)),
  Layer.provideMerge(IssueFile.layer({ path: issueFile, gitTimeout: patience }))
)

interface Asked {
  readonly call: number
  readonly actor: string
  readonly operation: Operation
}

const perform = (tracker: Tracker.Tracker["Type"], operation: Operation) => {
  switch (operation._tag) {
    case "create":
      return tracker.create({ title: operation.title })
    case "set":
      return tracker.update(operation.id, { [operation.field]: operation.value })
    case "append":
      return tracker.update(operation.id, { appendNotes: operation.text })
    case "compare":
      return tracker.update(operation.id, { design: operation.value, ifUpdatedAt: operation.stamp })
    case "claim":
      return tracker.claim(operation.id)
    case "close":
      return tracker.close(operation.id, { reason: operation.reason })
    case "reopen":
      return tracker.reopen(operation.id)
    case "delete":
      return Effect.as(tracker.delete([operation.id]), undefined)
    case "undelete":
      return tracker.undelete(operation.id)
    case "label":
      return tracker.addLabel(operation.id, operation.label)
    case "link":
      return Effect.as(tracker.addDependency(operation.id, operation.on, "related"), undefined)
    case "comment":
      return Effect.as(tracker.addComment(operation.id, operation.text), undefined)
    case "import":
      return Effect.as(tracker.import(Buffer.from(importedLine(operation))), undefined)
    case "show":
      return Effect.map(tracker.show(operation.id), ({ issue }) => issue)
  }
}

const answer = Effect.fnUntraced(function* ({ actor, call, operation }: Asked) {
  const tracker = yield* Tracker.make({ actor, fallbackPrefix: () => "t" })
  const ran = yield* Effect.either(perform(tracker, operation))
  const said =
    ran._tag === "Right"
      ? { call, exitCode: 0, ...(ran.right === undefined ? {} : { answer: toJson(ran.right) }) }
      : { call, exitCode: ExitCode.verdict(ran.left).exitCode }
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify(said)}\n`))
})

const asked = Stream.fromAsyncIterable(createInterface({ input: process.stdin }), String).pipe(
  Stream.map(line => JSON.parse(line) as Asked)
)

void Effect.runPromise(
  Stream.mapEffect(asked, answer, { concurrency: 4, unordered: true }).pipe(
    Stream.runDrain,
    // what is told at all is an error here, and stdout is for answers
    Effect.provide(
      Layer.merge(services, Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger)))
    ),
    Logger.withMinimumLogLevel(LogLevel.Warning)
  )
)
