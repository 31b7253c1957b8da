/**
 * The use case that makes new issues: one, or many at once that may refer to one another.
 *
 * Many are made in one transaction, all or none. Whoever asks twice for the issue of one external reference gets the same
 * one: the look and the creation are in one transaction, so of several who ask at once one makes it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as DependencyGraph from "../domain/DependencyGraph.ts"
import * as IdRenaming from "../domain/IdRenaming.ts"
import * as Issue from "../domain/Issue.ts"
import * as IssueChange from "../domain/IssueChange.ts"
import * as IssueId from "../domain/IssueId.ts"
import type * as IssueRecord from "../domain/IssueRecord.ts"
import { IssueStore } from "../store/IssueStore.ts"
import { Conflict } from "./Conflict.ts"
import { refuseSelf } from "./Links.ts"
import type { Rows } from "./Rows.ts"
import type { Tracker } from "./Tracker.ts"

/** An issue to be made. `parent`, `dependencies` and `blocks` may name others of the same call, by their key or id. */
export interface Draft extends Issue.NewIssue {
  /** What the others of the call call it. */
  readonly key?: string
  readonly id?: string
  readonly parent?: string
  readonly dependencies?: ReadonlyArray<{ readonly id: string; readonly type: string }>
  /** Issues that the new one blocks. */
  readonly blocks?: ReadonlyArray<string>
  /** Accept an explicit id with another prefix, and make a second issue of one external reference. */
  readonly force?: boolean
}

export interface Created {
  readonly issue: Issue.Issue
  /** It was there already, by its external reference, and was left as it is. */
  readonly existed: boolean
}

/** What can be wrong with a draft. */
const DraftError = Schema.Union(
  Issue.InvalidValue,
  Issue.CycleFound,
  IssueId.IssueNotFound,
  IssueId.AmbiguousId,
  Conflict
)
export type DraftError = typeof DraftError.Type

/** One of several drafts was refused, and so all were. */
export class DraftRefused extends Schema.TaggedError<DraftRefused>()("DraftRefused", {
  /** From 0. */
  index: Schema.Number,
  error: DraftError
}) {
  override get message() {
    return `issue ${this.index + 1}: ${this.error.message}`
  }
}

const draftErrors: ReadonlySet<string> = new Set<DraftError["_tag"]>([
  "InvalidValue",
  "CycleFound",
  "IssueNotFound",
  "AmbiguousId",
  "Conflict"
])

const isDraftError = (error: { readonly _tag: string }): error is DraftError => draftErrors.has(error._tag)

/** The outcome of a preview, by which its transaction is rolled back. */
interface Preview {
  readonly _tag: "Preview"
  readonly created: ReadonlyArray<Created>
}

/** A time some microseconds after now: issues made together keep their order where lists go by age. */
const later = (now: number, micros: number): string => {
  const at = new Date(now + Math.floor(micros / 1000)).toISOString()
  const rest = micros % 1000
  return rest === 0 ? at : at.replace("Z", `${String(rest).padStart(3, "0")}Z`)
}

interface Link {
  readonly id: string
  readonly type: string
}

export const make = Effect.fnUntraced(function* (rows: Rows) {
  const store = yield* IssueStore
  const { actor, change, context, edit, find, issueOf, prefix, recordOf, saveNew } = rows

  /** The issues of these external references, and those of them that were deleted, by reference. */
  const referred = Effect.fnUntraced(function* (refs: ReadonlyArray<string>) {
    const living = new Map<string, Issue.Issue>()
    const deleted = new Map<string, string>()
    if (refs.length === 0) return { living, deleted }
    for (const row of yield* store.withExternalRefs(refs)) {
      const issue = yield* issueOf(row)
      const ref = issue.external_ref ?? ""
      if (!Issue.isTombstone(yield* recordOf(row))) {
        if (!living.has(ref)) living.set(ref, issue)
        // a renamed issue lives on, or was deleted, under its new id
      } else if (IdRenaming.renamedTo(yield* recordOf(row)) === undefined) deleted.set(ref, row.id)
    }
    return { living, deleted }
  })

  /** All of it, inside a transaction. */
  const makeAll = Effect.fnUntraced(function* (drafts: ReadonlyArray<Draft>) {
    /** Tells which draft a failure is about. */
    const at = <A, E extends { readonly _tag: string }, R>(index: number, effect: Effect.Effect<A, E, R>) =>
      Effect.mapError(effect, error =>
        isDraftError(error)
          ? new DraftRefused({ index, error })
          : // the others are about no draft
            (error as Exclude<E, DraftError>)
      )
    const refuse = (index: number, error: DraftError) => Effect.fail(new DraftRefused({ index, error }))

    const fields = yield* Effect.forEach(drafts, (draft, i) => at(i, Issue.decodeNewIssue(draft)))

    // what is there already
    const byRef = new Map<string, number>()
    for (const [i, { external_ref: ref = "" }] of fields.entries()) {
      if (ref === "" || drafts[i]?.force === true) continue
      const first = byRef.get(ref)
      if (first !== undefined) {
        const rule = `of one issue only: issue ${first + 1} has it too`
        return yield* refuse(i, new Issue.InvalidValue({ field: "external_ref", value: ref, rule }))
      }
      byRef.set(ref, i)
    }
    const { deleted, living } = yield* referred([...byRef.keys()])
    const existing = new Map<number, Issue.Issue>()
    for (const [ref, i] of byRef) {
      const issue = living.get(ref)
      const tombstone = deleted.get(ref)
      if (issue !== undefined) existing.set(i, issue)
      else if (tombstone !== undefined) {
        const detail = `the issue of the external reference ${JSON.stringify(ref)} was deleted: bd undelete brings it back, --force makes another`
        return yield* refuse(i, new Conflict({ id: tombstone, detail }))
      }
    }

    // what the drafts are called among themselves
    const names = new Map<string, number>()
    for (const [i, { id, key }] of drafts.entries()) {
      for (const [field, name] of Object.entries({ key, id })) {
        if (name === undefined || (field === "id" && name === key)) continue
        const first = names.get(name)
        if (first !== undefined) {
          const rule = `of one issue only: issue ${first + 1} has it too`
          return yield* refuse(i, new Issue.InvalidValue({ field, value: name, rule }))
        }
        names.set(name, i)
      }
    }

    // ids, parents before their children
    const ownPrefix = yield* prefix
    const now = yield* Clock.currentTimeMillis
    const nanoseconds = yield* Clock.currentTimeNanos
    const roots = yield* store.roots
    const ids = new Map<number, string>()
    const taken = new Set<string>()
    const isTaken = (id: string) =>
      taken.has(id) ? Effect.succeed(true) : Effect.map(store.row(id), row => Option.isSome(row))
    const found = new Map<string, string>()
    const outside = Effect.fnUntraced(function* (name: string) {
      const known = found.get(name)
      if (known !== undefined) return known
      const { id } = yield* find(name)
      found.set(name, id)
      return id
    })
    const drawn = Effect.fnUntraced(function* ({ description = "", title }: Issue.NewIssue) {
      const unfit = new Set<string>()
      const count = roots + ids.size
      // one draw is asked for, and mostly free: the ids of all issues need not be read
      for (;;) {
        const id = IssueId.generate({
          prefix: ownPrefix,
          title,
          description,
          actor,
          nanoseconds,
          count,
          taken: id => unfit.has(id) || taken.has(id)
        })
        if (!(yield* isTaken(id))) return id
        unfit.add(id)
      }
    })
    const chosen = Effect.fnUntraced(function* (wanted: string, force: boolean) {
      const id = yield* IssueId.decode(wanted)
      if (!force && !IssueId.hasPrefix(id, ownPrefix)) {
        const rule = `an id that begins with ${ownPrefix}- (or given with --force)`
        return yield* new Issue.InvalidValue({ field: "id", value: id, rule })
      }
      if (yield* isTaken(id)) return yield* new Conflict({ id, detail: "there is an issue of that id already" })
      return id
    })
    const childOf = Effect.fnUntraced(function* (parent: string) {
      for (;;) {
        const id = yield* IssueId.childId(parent, [], (yield* store.nextChild(parent)) - 1)
        // another of the call may have chosen this one
        if (!taken.has(id)) return id
      }
    })
    // those that were chosen first, so that none is drawn
    for (const [i, { force = false, id }] of drafts.entries()) {
      const issue = existing.get(i)
      if (issue !== undefined) ids.set(i, issue.id)
      else if (id !== undefined) {
        const own = yield* at(i, chosen(id, force))
        ids.set(i, own)
        taken.add(own)
      }
    }
    for (const start of drafts.keys()) {
      // up to an ancestor that has its id, then down again
      const open = [start]
      for (let i = open.pop(); i !== undefined; i = open.pop()) {
        if (ids.has(i)) continue
        const parent = drafts[i]?.parent
        const inside = parent === undefined ? undefined : names.get(parent)
        if (inside !== undefined && !ids.has(inside)) {
          if (open.includes(inside) || inside === i) {
            const way = [...open, i]
            const path = [...way.slice(way.indexOf(inside)), inside].map(n => drafts[n]?.key ?? `issue ${n + 1}`)
            return yield* refuse(i, new Issue.CycleFound({ path }))
          }
          open.push(i, inside)
          continue
        }
        const own = fields[i]
        if (own === undefined) continue
        const above = inside === undefined ? undefined : ids.get(inside)
        const id =
          parent === undefined
            ? yield* drawn(own)
            : yield* at(i, Effect.flatMap(above === undefined ? outside(parent) : Effect.succeed(above), childOf))
        ids.set(i, id)
        taken.add(id)
      }
    }
    const resolve = (name: string) => {
      const inside = names.get(name)
      const id = inside === undefined ? undefined : ids.get(inside)
      return id === undefined ? outside(name) : Effect.succeed(id)
    }

    // links
    const links = new Map<string, Array<Link>>()
    const edits: Array<Link & { readonly index: number; readonly blocker: string }> = []
    const edges: Array<DependencyGraph.Edge & { readonly index: number }> = []
    const add = (index: number, from: string, { id, type }: Link) => {
      const known = links.get(from) ?? []
      links.set(from, known)
      if (known.some(link => link.id === id && link.type === type)) return
      known.push({ id, type })
      edges.push({ index, issueId: from, dependsOnId: id, type })
    }
    for (const [i, draft] of drafts.entries()) {
      const own = ids.get(i)
      if (own === undefined || existing.has(i)) continue
      const link = Effect.fnUntraced(function* (name: string, type: string) {
        const id = yield* resolve(name)
        yield* refuseSelf(own, id)
        add(i, own, { id, type: yield* Issue.decodeDependencyType(type) })
      })
      if (draft.parent !== undefined) yield* at(i, link(draft.parent, "parent-child"))
      for (const { id, type } of draft.dependencies ?? []) yield* at(i, link(id, type))
    }
    for (const [i, { blocks = [] }] of drafts.entries()) {
      const own = ids.get(i)
      if (own === undefined || existing.has(i)) continue
      for (const name of blocks) {
        const blocked = yield* at(
          i,
          Effect.tap(resolve(name), id => refuseSelf(own, id))
        )
        if (taken.has(blocked)) add(i, blocked, { id: own, type: "blocks" })
        else {
          edits.push({ index: i, id: blocked, blocker: own, type: "blocks" })
          edges.push({ index: i, issueId: blocked, dependsOnId: own, type: "blocks" })
        }
      }
    }
    // what nothing new leads to closes no cycle
    if (edges.some(({ dependsOnId }) => taken.has(dependsOnId))) {
      const { edges: there } = yield* store.graph
      const closing = DependencyGraph.firstToClose(there, edges)
      if (closing !== undefined) {
        // ids that nobody has seen, and that are gone with this, would say nothing
        const called = new Map([...ids].map(([i, id]) => [id, drafts[i]?.key ?? drafts[i]?.id ?? `issue ${i + 1}`]))
        const path = closing.path.map(id => (taken.has(id) ? (called.get(id) ?? id) : id))
        return yield* refuse(closing.edge.index, new Issue.CycleFound({ path }))
      }
    }

    const made = new Map<number, IssueRecord.IssueRecord>()
    for (const [i, own] of fields.entries()) {
      const id = ids.get(i)
      if (id === undefined || existing.has(i)) continue
      const when = { ...(yield* context), at: later(now, made.size) }
      const ownLinks = (links.get(id) ?? []).map(link => ({ dependsOnId: link.id, type: link.type }))
      made.set(i, IssueChange.create(own, id, when, ownLinks))
    }
    yield* saveNew([...made.values()])
    for (const { blocker, id, index } of edits) {
      yield* at(
        index,
        Effect.flatMap(find(id), row => edit(row, "dependency_added", [IssueChange.addDependency(blocker, "blocks")]))
      )
    }
    return drafts.flatMap((_, i): ReadonlyArray<Created> => {
      const issue = existing.get(i)
      if (issue !== undefined) return [{ issue, existed: true }]
      const record = made.get(i)
      return record === undefined ? [] : [{ issue: Issue.fromRecord(record), existed: false }]
    })
  })

  const createMany: Tracker["Type"]["createMany"] = (drafts, { dryRun = false } = {}) =>
    change(
      "create",
      Effect.flatMap(makeAll(drafts), created =>
        dryRun ? Effect.fail<Preview>({ _tag: "Preview", created }) : Effect.succeed(created)
      )
    ).pipe(Effect.catchTag("Preview", ({ created }) => Effect.succeed(created)))

  const creation: Pick<Tracker["Type"], "create" | "createMany"> = {
    createMany,
    create: draft =>
      createMany([draft]).pipe(
        Effect.catchTag("DraftRefused", ({ error }) => Effect.fail(error)),
        Effect.flatMap(([created]) =>
          created === undefined ? Effect.dieMessage("no issue was made") : Effect.succeed(created.issue)
        )
      )
  }
  return creation
})
