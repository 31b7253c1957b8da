/** What an embedding application can measure, read from real runs: metrics as their values, spans by a tracer. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it, vi } from "@effect/vitest"
import {
  Context,
  Effect,
  Exit,
  Layer,
  Metric,
  type MetricKeyType,
  type MetricState,
  Option,
  Scope,
  TestClock,
  Tracer
} from "effect"
import { FlushFailed } from "../../src/flush/Exporter.ts"
import * as FlushManager from "../../src/flush/FlushManager.ts"
import * as IssueLock from "../../src/issue-file/IssueLock.ts"
import * as Metrics from "../../src/Metrics.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { Tracker } from "../../src/tracker/Tracker.ts"
import { workbench } from "./workbench.ts"

vi.setConfig({ testTimeout: 20_000 })

const ofOutcome = <Type, In, Out>(metric: Metric.Metric<Type, In, Out>, outcome: string) =>
  Metric.tagged(metric, "outcome", outcome)

/** How far a metric goes up meanwhile: they are global, and other tests count too. */
const growth = <A, E, R>(metrics: Readonly<Record<string, Effect.Effect<number>>>, body: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* Effect.all(metrics)
    yield* body
    const after = yield* Effect.all(metrics)
    return Object.fromEntries(Object.keys(metrics).map(key => [key, (after[key] ?? 0) - (before[key] ?? 0)]))
  })

const count = (metric: Metric.Metric.Counter<number>) => Effect.map(Metric.value(metric), ({ count }) => count)
type Histogram<In> = Metric.Metric<MetricKeyType.MetricKeyType.Histogram, In, MetricState.MetricState.Histogram>

const times = <In>(metric: Histogram<In>) => Effect.map(Metric.value(metric), ({ count }) => count)
const total = <In>(metric: Histogram<In>) => Effect.map(Metric.value(metric), ({ sum }) => sum)

interface Span {
  readonly name: string
  readonly parent: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  readonly failed: boolean
}

/** A tracer that keeps what has ended. */
const collector = () => {
  const spans: Array<Span> = []
  const tracer = Tracer.make({
    context: run => run(),
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      return {
        _tag: "Span",
        name,
        spanId: `${name}-${spans.length}`,
        traceId: "t",
        parent,
        context,
        links,
        kind,
        sampled: true,
        attributes,
        status: { _tag: "Started", startTime },
        attribute: (key, value) => void attributes.set(key, value),
        event: () => undefined,
        addLinks: () => undefined,
        end: (_, exit) => {
          const above = Option.getOrUndefined(parent)
          spans.push({
            name,
            parent: above?._tag === "Span" ? above.name : undefined,
            attributes: Object.fromEntries(attributes),
            failed: Exit.isFailure(exit)
          })
        }
      }
    }
  })
  return { spans, tracer, named: (name: string) => spans.filter(span => span.name === name) }
}

const at = (second: number) => `2026-02-01T00:00:0${second}Z`
const line = (id: string, title: string, second = 0) =>
  JSON.stringify({ id, title, status: "open", priority: 2, created_at: at(0), updated_at: at(second) })

describe("metrics", () => {
  it.scopedLive("G9: flushes by outcome, their durations, issues and bytes", () =>
    Effect.gen(function* () {
      const { change, flush, flushFull, path } = yield* workbench({ content: "" })
      const metrics = {
        incremental: count(ofOutcome(Metrics.flushes, "incremental")),
        full: count(ofOutcome(Metrics.flushes, "full")),
        unchanged: count(ofOutcome(Metrics.flushes, "unchanged")),
        failed: count(Metric.tagged(ofOutcome(Metrics.flushes, "failed"), "reason", "UnreadableLine")),
        timed: times(ofOutcome(Metrics.flushDuration, "incremental")),
        flushesWithIssues: times(Metrics.flushIssues),
        issues: total(Metrics.flushIssues),
        bytes: count(Metrics.flushBytes)
      }
      let bytes = 0
      const grown = yield* growth(
        metrics,
        Effect.gen(function* () {
          yield* change(line("a-1", "one"))
          yield* change(line("a-2", "two"))
          bytes += (yield* flush).bytes
          yield* change(line("a-1", "eins", 1))
          bytes += (yield* flush).bytes
          yield* flush
          yield* change(line("a-2", "zwei", 1))
          bytes += (yield* flushFull).bytes
          writeFileSync(path, "<<<<<<< ours\n")
          yield* Effect.either(change(line("a-3", "three")))
          assert.strictEqual((yield* Effect.flip(flush)).reason, "UnreadableLine")
        })
      )
      assert.deepStrictEqual(grown, {
        incremental: 2,
        full: 1,
        unchanged: 1,
        failed: 1,
        timed: 2,
        flushesWithIssues: 3,
        issues: 4,
        bytes
      })
    })
  )

  it.scopedLive("G9: reconciliations by outcome, and the issues they brought", () =>
    Effect.gen(function* () {
      const { path, reconcile } = yield* workbench({ content: `${line("a-1", "one")}\n${line("a-2", "two")}\n` })
      const outcome = (name: string) => count(ofOutcome(Metrics.reconciliations, name))
      const grown = yield* growth(
        {
          changed: outcome("changed"),
          unchanged: outcome("unchanged"),
          barred: outcome("barred"),
          issues: count(Metrics.reconciledIssues)
        },
        Effect.gen(function* () {
          yield* reconcile
          yield* reconcile
          writeFileSync(path, `${line("a-1", "eins", 1)}\n${line("a-2", "two")}\n`)
          yield* reconcile
          writeFileSync(path, "no object\n")
          yield* reconcile
        })
      )
      assert.deepStrictEqual(grown, { changed: 2, unchanged: 1, barred: 1, issues: 3 })
    })
  )

  it.scopedLive("G9: the wait for the lock, had or not", () =>
    Effect.gen(function* () {
      const { beads } = yield* workbench()
      const path = join(beads, "some.lock")
      const [one, other] = yield* Effect.all([
        IssueLock.make({ path, timeout: "5 seconds" }),
        IssueLock.make({ path, timeout: "20 millis" })
      ])
      const grown = yield* growth(
        {
          taken: times(ofOutcome(Metrics.lockWait, "taken")),
          failed: times(ofOutcome(Metrics.lockWait, "failed")),
          waited: Effect.map(total(ofOutcome(Metrics.lockWait, "failed")), sum => Math.min(sum, 20))
        },
        one.withLock(Effect.either(other.withLock(Effect.void)))
      )
      assert.deepStrictEqual(grown, { taken: 1, failed: 1, waited: 20 })
    })
  )

  it.effect("G9: what is pending goes up with marks, down with flushes, and away with the manager", () =>
    Effect.gen(function* () {
      const gauge = Effect.map(
        Effect.zipRight(TestClock.adjust(0), Metric.value(Metrics.pending)),
        ({ value }) => value
      )
      const before = yield* gauge
      const pending = Effect.map(gauge, value => value - before)
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Testing.layer(), scope)
      const tracker = Context.get(context, Tracker)
      yield* tracker.create({ title: "one" })
      yield* tracker.create({ title: "two" })
      assert.strictEqual(yield* pending, 2)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* pending, 0)
      const manager = Context.get(context, FlushManager.FlushManager)
      yield* tracker.create({ title: "three" })
      yield* Context.get(context, Testing.TestFile).write("<<<<<<< ours\n")
      assert.strictEqual(yield* pending, 1)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual((yield* manager.status).phase, { _tag: "Closed", unflushed: true })
      assert.strictEqual(yield* pending, 0)
    })
  )
})

describe("spans", () => {
  it.scopedLive("G9: a flush with its reconcile, its publish and its wait for the lock, and what they did", () =>
    Effect.gen(function* () {
      const { change, flush, path } = yield* workbench({ content: "" })
      const { named, tracer } = collector()
      yield* change(line("a-1", "one"))
      const report = yield* Effect.withTracer(flush, tracer)
      assert.deepStrictEqual(named("Exporter.flush"), [
        {
          name: "Exporter.flush",
          parent: undefined,
          failed: false,
          attributes: {
            "beads.flush.full": false,
            "beads.flush.mode": "incremental",
            "beads.flush.written": 1,
            "beads.flush.removed": 0,
            "beads.flush.bytes": report.bytes
          }
        }
      ])
      assert.deepStrictEqual(
        named("Exporter.publish").map(({ attributes }) => attributes),
        [{ "beads.file.path": path, "beads.file.bytes": report.bytes }]
      )
      assert.deepStrictEqual(
        named("Reconciler.reconcile").map(({ attributes }) => attributes),
        [{ "beads.reconcile.outcome": "unchanged", "beads.reconcile.issues": 0 }]
      )
      assert.deepStrictEqual(
        named("IssueLock.wait").map(({ attributes, parent }) => [attributes, parent]),
        [[{ "beads.lock.path": `${path}.lock` }, "IssueLock.withLock"]]
      )
    })
  )

  it.scopedLive("G9: a flush that fails ends its span as failed", () =>
    Effect.gen(function* () {
      const { change, flush, path } = yield* workbench({ content: "" })
      const { named, tracer } = collector()
      yield* change(line("a-1", "one"))
      writeFileSync(path, "<<<<<<< ours\n")
      const failure = yield* Effect.flip(Effect.withTracer(flush, tracer))
      assert.isTrue(failure instanceof FlushFailed)
      assert.deepStrictEqual(
        named("Exporter.flush").map(({ failed }) => failed),
        [true]
      )
      assert.deepStrictEqual(named("Exporter.publish"), [])
    })
  )

  it.effect("G9: a debounced flush has its own span, of the tracer the layer was built with", () =>
    Effect.gen(function* () {
      const { named, tracer } = collector()
      const run = Effect.gen(function* () {
        const tracker = yield* Tracker
        yield* tracker.create({ title: "one" })
        yield* TestClock.adjust("5 seconds")
      })
      yield* run.pipe(Effect.provide(Testing.layer()), Effect.withTracer(tracer))
      assert.deepStrictEqual(
        named("FlushManager.flush").map(({ attributes }) => attributes),
        [{ "beads.flush.full": false }]
      )
      assert.deepStrictEqual(
        named("Exporter.flush").map(({ parent }) => parent),
        ["FlushManager.flush"]
      )
      assert.strictEqual(named("Tracker.create").length, 1)
    })
  )
})
