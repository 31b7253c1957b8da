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
import { IssueStore, type StoreError } from "../store/IssueStore.ts"
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

/** Tells which draft a failure is about. */
const at = <A, E extends { readonly _tag: string }, R>(index: number, effect: Effect.Effect<A, E, R>) =>
  Effect.mapError(effect, error =>
    isDraftError(error)
      ? new DraftRefused({ index, error })
      : // the others are about no draft
        (error as Exclude<E, DraftError>)
  )

const refuse = (index: number, error: DraftError) => Effect.fail(new DraftRefused({ index, error }))

/** Refuses what an earlier draft, the `first`, has already. */
const refuseSecond = (index: number, first: number, field: string, value: string) =>
  refuse(index, new Issue.InvalidValue({ field, value, rule: `of one issue only: issue ${first + 1} has it too` }))

/** The drafts of one call and what is known of them before any has its id; a draft is known by its place, from 0. */
interface Batch {
  readonly drafts: ReadonlyArray<Draft>
  /** Their fields, checked. */
  readonly fields: ReadonlyArray<Issue.NewIssue>
  /** Those that are there already. */
  readonly existing: ReadonlyMap<number, Issue.Issue>
  /** What they call one another. */
  readonly names: ReadonlyMap<string, number>
  /** The id of an issue that is none of the call's. */
  readonly outside: (name: string) => Effect.Effect<string, IssueId.IssueNotFound | IssueId.AmbiguousId | StoreError>
}

/** A draft that becomes an issue. */
interface NewOne {
  readonly index: number
  readonly draft: Draft
  readonly fields: Issue.NewIssue
  readonly id: string
}

interface NewLink extends DependencyGraph.Edge {
  /** The draft that asks for it. */
  readonly index: number
}

type Ids = ReadonlyMap<number, string>

/** What the drafts are called among themselves: by their keys and ids. */
const namesOf = Effect.fnUntraced(function* (drafts: ReadonlyArray<Draft>) {
  const names = new Map<string, number>()
  for (const [i, { id, key }] of drafts.entries()) {
    for (const [field, name] of Object.entries({ key, id })) {
      if (name === undefined || (field === "id" && name === key)) continue
      const first = names.get(name)
      if (first !== undefined) return yield* refuseSecond(i, first, field, name)
      names.set(name, i)
    }
  }
  return names
})

/** A draft and those above it, the highest first, as far as they have no id yet. */
const lineage = Effect.fnUntraced(function* ({ drafts, names }: Batch, ids: Ids, start: number) {
  const way: Array<number> = []
  let i: number | undefined = start
  while (i !== undefined && !ids.has(i)) {
    if (way.includes(i)) {
      const round = [...way.slice(way.indexOf(i)), i]
      const path = round.map(n => drafts[n]?.key ?? `issue ${n + 1}`)
      return yield* refuse(way.at(-1) ?? i, new Issue.CycleFound({ path }))
    }
    way.push(i)
    const parent: string | undefined = drafts[i]?.parent
    i = parent === undefined ? undefined : names.get(parent)
  }
  return way.reverse()
})

/** The id of an issue that a draft names, be it of the call or not. */
const resolve = ({ names, outside }: Batch, ids: Ids, name: string) => {
  const inside = names.get(name)
  const id = inside === undefined ? undefined : ids.get(inside)
  return id === undefined ? outside(name) : Effect.succeed(id)
}

/** The drafts that become issues, by id, in their order. */
const newOnes = ({ drafts, existing, fields }: Batch, ids: Ids): ReadonlyMap<string, NewOne> => {
  const fresh = new Map<string, NewOne>()
  for (const [index, draft] of drafts.entries()) {
    const id = ids.get(index)
    const own = fields[index]
    if (id === undefined || own === undefined || existing.has(index)) continue
    fresh.set(id, { index, draft, fields: own, id })
  }
  return fresh
}

/** The links that the drafts ask for, each once: all, and by the issue that depends. */
const linksOf = Effect.fnUntraced(function* (batch: Batch, ids: Ids, fresh: ReadonlyMap<string, NewOne>) {
  const links: Array<NewLink> = []
  const byIssue = new Map<string, Array<NewLink>>()
  const add = (link: NewLink) => {
    const known = byIssue.get(link.issueId) ?? []
    byIssue.set(link.issueId, known)
    if (known.some(({ dependsOnId, type }) => dependsOnId === link.dependsOnId && type === link.type)) return
    known.push(link)
    links.push(link)
  }
  const other = ({ id }: NewOne, name: string) => Effect.tap(resolve(batch, ids, name), found => refuseSelf(id, found))

  for (const one of fresh.values()) {
    const { draft, id: issueId, index } = one
    const dependOn = Effect.fnUntraced(function* (name: string, type: string) {
      const dependsOnId = yield* other(one, name)
      add({ index, issueId, dependsOnId, type: yield* Issue.decodeDependencyType(type) })
    })
    if (draft.parent !== undefined) yield* at(index, dependOn(draft.parent, "parent-child"))
    for (const { id, type } of draft.dependencies ?? []) yield* at(index, dependOn(id, type))
  }
  for (const one of fresh.values()) {
    const { draft, id: dependsOnId, index } = one
    for (const name of draft.blocks ?? []) {
      add({ index, issueId: yield* at(index, other(one, name)), dependsOnId, type: "blocks" })
    }
  }
  return { byIssue, links }
})

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

  /** Those of the drafts that are there already, by their external reference. */
  const existingOf = Effect.fnUntraced(function* (drafts: ReadonlyArray<Draft>, fields: ReadonlyArray<Issue.NewIssue>) {
    const byRef = new Map<string, number>()
    for (const [i, { external_ref: ref = "" }] of fields.entries()) {
      if (ref === "" || drafts[i]?.force === true) continue
      const first = byRef.get(ref)
      if (first !== undefined) return yield* refuseSecond(i, first, "external_ref", ref)
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
    return existing
  })

  /** Finds issues by what drafts call them, each once. */
  const finder = () => {
    const found = new Map<string, string>()
    return Effect.fnUntraced(function* (name: string) {
      const known = found.get(name)
      if (known !== undefined) return known
      const { id } = yield* find(name)
      found.set(name, id)
      return id
    })
  }

  /** Gives ids to the issues of one call, none twice and none that an issue has. */
  const idSource = Effect.gen(function* () {
    const ownPrefix = yield* prefix
    const nanoseconds = yield* Clock.currentTimeNanos
    const roots = yield* store.roots
    const given = new Set<string>()
    const isTaken = (id: string) =>
      given.has(id) ? Effect.succeed(true) : Effect.map(store.row(id), row => Option.isSome(row))
    const give = (id: string) => {
      given.add(id)
      return id
    }
    return {
      /** One that was asked for. */
      chosen: Effect.fnUntraced(function* (wanted: string, force: boolean) {
        const id = yield* IssueId.decode(wanted)
        if (!force && !IssueId.hasPrefix(id, ownPrefix)) {
          const rule = `an id that begins with ${ownPrefix}- (or given with --force)`
          return yield* new Issue.InvalidValue({ field: "id", value: id, rule })
        }
        if (yield* isTaken(id)) return yield* new Conflict({ id, detail: "there is an issue of that id already" })
        return give(id)
      }),
      /** `before`: of how many issues of the call the ids are known. */
      drawn: Effect.fnUntraced(function* ({ description = "", title }: Issue.NewIssue, before: number) {
        const unfit = new Set<string>()
        // one draw is asked for, and mostly free: the ids of all issues need not be read
        for (;;) {
          const id = IssueId.generate({
            prefix: ownPrefix,
            title,
            description,
            actor,
            nanoseconds,
            count: roots + before,
            taken: id => unfit.has(id) || given.has(id)
          })
          if (!(yield* isTaken(id))) return give(id)
          unfit.add(id)
        }
      }),
      childOf: Effect.fnUntraced(function* (parent: string) {
        for (;;) {
          const id = yield* IssueId.childId(parent, [], (yield* store.nextChild(parent)) - 1)
          // another of the call may have chosen this one
          if (!given.has(id)) return give(id)
        }
      })
    }
  })

  /** The ids of all drafts: parents get theirs before their children. */
  const idsOf = Effect.fnUntraced(function* (batch: Batch) {
    const { drafts, existing, fields } = batch
    const { childOf, chosen, drawn } = yield* idSource
    const ids = new Map<number, string>()
    // those that were chosen first, so that none is drawn
    for (const [i, { force = false, id }] of drafts.entries()) {
      const issue = existing.get(i)
      if (issue !== undefined) ids.set(i, issue.id)
      else if (id !== undefined) ids.set(i, yield* at(i, chosen(id, force)))
    }
    for (const start of drafts.keys()) {
      for (const i of yield* lineage(batch, ids, start)) {
        const own = fields[i]
        if (own === undefined) continue
        const parent = drafts[i]?.parent
        const id =
          parent === undefined
            ? yield* drawn(own, ids.size)
            : yield* at(i, Effect.flatMap(resolve(batch, ids, parent), childOf))
        ids.set(i, id)
      }
    }
    return ids
  })

  /** Blocking links must not go round. Those that lead to nothing new close no cycle. */
  const refuseCycles = Effect.fnUntraced(function* (links: ReadonlyArray<NewLink>, fresh: ReadonlyMap<string, NewOne>) {
    if (!links.some(({ dependsOnId }) => fresh.has(dependsOnId))) return
    const { edges } = yield* store.graph
    const closing = DependencyGraph.firstToClose(edges, links)
    if (closing === undefined) return
    // ids that nobody has seen, and that are gone with this, would say nothing
    const path = closing.path.map(id => {
      const one = fresh.get(id)
      return one === undefined ? id : (one.draft.key ?? one.draft.id ?? `issue ${one.index + 1}`)
    })
    return yield* refuse(closing.edge.index, new Issue.CycleFound({ path }))
  })

  /** All of it, inside a transaction. */
  const makeAll = Effect.fnUntraced(function* (drafts: ReadonlyArray<Draft>) {
    const fields = yield* Effect.forEach(drafts, (draft, i) => at(i, Issue.decodeNewIssue(draft)))
    const existing = yield* existingOf(drafts, fields)
    const batch = { drafts, fields, existing, names: yield* namesOf(drafts), outside: finder() }
    const now = yield* Clock.currentTimeMillis
    const ids = yield* idsOf(batch)
    const fresh = newOnes(batch, ids)
    const { byIssue, links } = yield* linksOf(batch, ids, fresh)
    yield* refuseCycles(links, fresh)

    const made = new Map<number, IssueRecord.IssueRecord>()
    for (const { fields: own, id, index } of fresh.values()) {
      const when = { ...(yield* context), at: later(now, made.size) }
      made.set(index, IssueChange.create(own, id, when, byIssue.get(id)))
    }
    yield* saveNew([...made.values()])
    // issues that were there wait for new ones
    for (const { dependsOnId, index, issueId } of links) {
      if (fresh.has(issueId)) continue
      const addBlocker = [IssueChange.addDependency(dependsOnId, "blocks")]
      yield* at(
        index,
        Effect.flatMap(find(issueId), row => edit(row, "dependency_added", addBlocker))
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
