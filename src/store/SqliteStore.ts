/**
 * `IssueStore` on SQLite: `layer` for a file, `layerMemory` for tests and for read-only places. Both are the same code.
 *
 * Lists of values travel as one JSON parameter (`json_each`), so the number of statements and of parameters does not
 * grow with the data.
 */
import { utimesSync } from "node:fs"
import type * as Statement from "@effect/sql/Statement"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Edge } from "../domain/DependencyGraph.ts"
import * as Instant from "../domain/Instant.ts"
import * as Issue from "../domain/Issue.ts"
import * as IssueId from "../domain/IssueId.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as JsonText from "../domain/JsonText.ts"
import * as Readiness from "../domain/Readiness.ts"
import {
  type AuditEvent,
  type FileRecord,
  type FlushOutcome,
  type FoundRow,
  IssueStore,
  type MarkedRow,
  type RowFilter,
  type StoreError
} from "./IssueStore.ts"
import * as SqliteSchema from "./SqliteSchema.ts"
import { versionHash } from "./Version.ts"

/** Versions kept of one issue: enough for the branches that are alive, bounded for the issues that change daily. */
const versionsKept = 64

const outcomes = {
  Flushed: { at: "string", mode: "string", written: "number", removed: "number", bytes: "number" },
  Failed: { at: "string", reason: "string", detail: "string" }
} as const

/** What `recordFlush` has written; what is none of ours is as good as none. */
const outcomeFrom = (text: string): FlushOutcome | undefined => {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>>
    const fields = value["_tag"] === "Flushed" ? outcomes.Flushed : outcomes.Failed
    const isOurs = Object.entries(fields).every(([field, type]) => typeof value[field] === type)
    return isOurs ? (value as unknown as FlushOutcome) : undefined
  } catch {
    return undefined
  }
}

/** Rows that are read at a time. */
const readAtATime = 500

/** Rows that something is made of at a time: few enough that what comes up on the way is let go in V8's nursery. */
const madeAtATime = 25

interface RowShape {
  readonly id: string
  readonly line: string
  readonly revision: number
  readonly marked: number | null
  readonly base: string | null
}

/** A line of a file beside its row, where that is there. */
type ComparedRow = { readonly place: string } & (RowShape | { readonly id: null })

/** Bytes of a file that are compared at a time: SQLite copies what it is given, and uses the room of such a copy again. */
const comparedAtATime = 1 << 19

/** Pieces of a file one after the other that lie within so many bytes, at least one of them. */
const portions = <A extends { readonly start: number; readonly end: number }>(
  pieces: ReadonlyArray<A>
): ReadonlyArray<ReadonlyArray<A>> => {
  const out: Array<Array<A>> = []
  let from = 0
  for (const piece of pieces) {
    const last = out[out.length - 1]
    if (last !== undefined && piece.end - from <= comparedAtATime) last.push(piece)
    else {
      from = piece.start
      out.push([piece])
    }
  }
  return out
}

const toMarkedRow = (row: RowShape): MarkedRow => ({
  id: row.id,
  line: row.line,
  revision: row.revision,
  mark: row.marked === null ? undefined : { revision: row.marked, base: row.base ?? undefined }
})

/** What SQL takes for no limit is -1. */
const limitOf = ({ limit }: RowFilter): number => (limit !== undefined && limit > 0 ? limit : -1)

type GraphRow = readonly [id: string, status: string, priority: number, createdAt: string]
type GraphEdge = readonly [issueId: string, dependsOnId: string, type: string]

const toGraphRow = ([id, status, priority, created_at]: GraphRow): Readiness.Row => ({
  id,
  status,
  priority,
  created_at
})

const toEdge = ([issueId, dependsOnId, type]: GraphEdge): Edge => ({ issueId, dependsOnId, type })

/** What the query columns hold of a record. */
const project = (record: IssueRecord.IssueRecord) => {
  const text = (key: IssueRecord.Key) => IssueRecord.text(record, key) ?? ""
  const dependencies: Array<{ readonly on: string; readonly type: string }> = []
  for (const element of IssueRecord.elements(record, "dependencies")) {
    if (JsonText.kind(element) !== "object") continue
    const members = new Map(JsonText.members(element).map(member => [member.key, member.value]))
    const on = JsonText.decodeString(members.get("depends_on_id"))
    if (on !== undefined) dependencies.push({ on, type: JsonText.decodeString(members.get("type")) ?? "blocks" })
  }
  const labels = IssueRecord.elements(record, "labels").flatMap(element => JsonText.decodeString(element) ?? [])
  return {
    id: record.id,
    line: IssueRecord.line(record),
    title: text("title"),
    // what a line does not say, the columns say as the view does
    status: IssueRecord.text(record, "status") ?? Issue.defaultStatus,
    priority: IssueRecord.number(record, "priority") ?? Issue.defaultPriority,
    type: IssueRecord.text(record, "issue_type") ?? Issue.defaultType,
    assignee: text("assignee"),
    ref: text("external_ref"),
    created: Instant.sortable(text("created_at")),
    updated: Instant.sortable(text("updated_at")),
    labels,
    dependencies
  }
}

export const make = (options: SqliteSchema.Options): Effect.Effect<IssueStore["Type"], StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const db = yield* SqliteSchema.open(options)
    const { run, sql, values } = db
    const json = (values: ReadonlyArray<unknown>) => JSON.stringify(values)
    const rowColumns = sql.literal("i.id, i.line, i.revision, d.revision as marked, d.base")

    const row = Effect.fnUntraced(function* (id: string) {
      const rows = yield* run(
        sql<RowShape>`select ${rowColumns} from issues i left join dirty_issues d on d.issue_id = i.id where i.id = ${id}`
      )
      return Option.map(Option.fromNullable(rows[0]), toMarkedRow)
    })

    const conditions = (filter: RowFilter) =>
      sql.and([
        sql`i.status <> 'tombstone'`,
        ...(filter.statuses ? [sql`i.status in (select value from json_each(${json(filter.statuses)}))`] : []),
        ...(filter.types ? [sql`i.issue_type in (select value from json_each(${json(filter.types)}))`] : []),
        ...(filter.priorities ? [sql`i.priority in (select value from json_each(${json(filter.priorities)}))`] : []),
        ...(filter.priorityMin !== undefined ? [sql`i.priority >= ${filter.priorityMin}`] : []),
        ...(filter.priorityMax !== undefined ? [sql`i.priority <= ${filter.priorityMax}`] : []),
        ...(filter.assignee !== undefined ? [sql`i.assignee = ${filter.assignee}`] : []),
        ...(filter.unassigned === true ? [sql`i.assignee = ''`] : []),
        ...(filter.ids ? [sql`i.id in (select value from json_each(${json(filter.ids)}))`] : []),
        ...(filter.titleContains !== undefined ? [sql`instr(lower(i.title), lower(${filter.titleContains})) > 0`] : []),
        ...(filter.labels && filter.labels.length > 0
          ? [
              sql`(select count(*) from labels l where l.issue_id = i.id and l.label in
                (select value from json_each(${json([...new Set(filter.labels)])}))) = ${new Set(filter.labels).size}`
            ]
          : []),
        ...(filter.labelsAny && filter.labelsAny.length > 0
          ? [
              sql`exists (select 1 from labels l where l.issue_id = i.id and l.label in
                (select value from json_each(${json(filter.labelsAny)})))`
            ]
          : [])
      ])

    const write: IssueStore["Type"]["write"] = Effect.fnUntraced(function* (writes) {
      if (writes.length === 0) return
      const rows = writes.map(({ record }) => project(record))
      const ids = json(rows.map(({ id }) => id))
      yield* run(sql`insert into issues (id, line, revision, title, status, priority, issue_type, assignee, external_ref,
          created_at, updated_at)
        select v.value ->> 'id', v.value ->> 'line', 1, v.value ->> 'title', v.value ->> 'status',
          v.value ->> 'priority', v.value ->> 'type', v.value ->> 'assignee', v.value ->> 'ref',
          v.value ->> 'created', v.value ->> 'updated'
        from json_each(${json(rows.map(({ dependencies: _, labels: __, ...columns }) => columns))}) v where true
        on conflict (id) do update set line = excluded.line, revision = revision + 1, title = excluded.title,
          status = excluded.status, priority = excluded.priority, issue_type = excluded.issue_type,
          assignee = excluded.assignee, external_ref = excluded.external_ref, created_at = excluded.created_at,
          updated_at = excluded.updated_at`)
      yield* run(sql`delete from labels where issue_id in (select value from json_each(${ids}))`)
      yield* run(sql`delete from dependencies where issue_id in (select value from json_each(${ids}))`)
      const labels = rows.flatMap(({ id, labels }) => labels.map(label => [id, label]))
      if (labels.length > 0) {
        yield* run(sql`insert or ignore into labels
          select value ->> 0, value ->> 1 from json_each(${json(labels)})`)
      }
      const edges = rows.flatMap(({ dependencies, id }) => dependencies.map(({ on, type }) => [id, on, type]))
      if (edges.length > 0) {
        yield* run(sql`insert or ignore into dependencies
          select value ->> 0, value ->> 1, value ->> 2 from json_each(${json(edges)})`)
      }
      const clean = writes.flatMap(({ record, state }) => (state._tag === "clean" ? [record.id] : []))
      yield* unmark(clean)
      const dirty = writes.flatMap(({ record, state }) =>
        state._tag === "dirty" ? [{ id: record.id, base: state.base ?? null }] : []
      )
      if (dirty.length > 0) {
        yield* run(sql`insert into dirty_issues (issue_id, revision, base)
          select i.id, i.revision, v.value ->> 'base' from json_each(${json(dirty)}) v
          join issues i on i.id = v.value ->> 'id' where true
          on conflict (issue_id) do update set revision = excluded.revision, base = excluded.base`)
      }
    })

    const mark: IssueStore["Type"]["mark"] = ids =>
      ids.length === 0
        ? Effect.void
        : Effect.asVoid(
            run(sql`insert into dirty_issues (issue_id, revision, base)
              select id, revision, line from issues where id in (select value from json_each(${json(ids)}))
              on conflict (issue_id) do nothing`)
          )

    const unmark: IssueStore["Type"]["unmark"] = ids =>
      ids.length === 0
        ? Effect.void
        : Effect.asVoid(
            run(sql`delete from dirty_issues where issue_id in (select value from json_each(${json(ids)}))`)
          )

    const addVersions: IssueStore["Type"]["addVersions"] = Effect.fnUntraced(function* (versions) {
      if (versions.length === 0) return
      const nodes = new Map<string, { id: string; hash: string; line: string; parents: ReadonlyArray<string> }>()
      for (const { id, line, parents } of versions) {
        const hash = versionHash(line)
        const key = json([id, hash])
        if (!nodes.has(key)) nodes.set(key, { id, hash, line, parents })
      }
      const all = [...nodes.values()]
      // what an import brings is remembered when it comes, and when it is published: the second time it is known already
      const unknown = yield* run(sql<{ at: number; known: number }>`select n.key as at,
          (select count(*) from issue_versions where issue_id = n.value ->> 0) as known
        from json_each(${json(all.map(({ hash, id }) => [id, hash]))}) n
        where not exists (select 1 from issue_versions where issue_id = n.value ->> 0 and hash = n.value ->> 1)`)
      const values = unknown.flatMap(({ at }) => all[at] ?? [])
      if (values.length === 0) return
      const parents = values.flatMap(({ hash, id, parents }) => parents.map(parent => [id, hash, parent]))
      yield* run(sql`insert or ignore into version_parents
        select value ->> 0, value ->> 1, value ->> 2 from json_each(${json(parents)})`)
      yield* run(sql`insert into issue_versions (issue_id, hash, line)
        select value ->> 0, value ->> 1, value ->> 2
        from json_each(${json(values.map(({ hash, id, line }) => [id, hash, line]))})`)
      // at most all that came are of one issue
      const tooMany = unknown.flatMap(({ at, known }) =>
        known + values.length > versionsKept ? (all[at]?.id ?? []) : []
      )
      if (tooMany.length === 0) return
      const ids = json([...new Set(tooMany)])
      yield* run(sql`delete from issue_versions where seq in (
        select seq from (select seq, row_number() over (partition by issue_id order by seq desc) as age
          from issue_versions where issue_id in (select value from json_each(${ids})))
        where age > ${versionsKept})`)
      yield* run(sql`delete from version_parents where issue_id in (select value from json_each(${ids}))
        and (issue_id, hash) not in (select issue_id, hash from issue_versions)`)
    })

    /** The places of rows, in order; one text, so that they are no objects. */
    const placesOf = (statement: Statement.Fragment) =>
      Effect.map(
        run(sql<{ places: string }>`${statement}`),
        ([found]) => JSON.parse(found?.places ?? "[]") as ReadonlyArray<number>
      )

    /** Something made of the rows at these places, a few at a time. */
    const inParts = Effect.fnUntraced(function* <R, A>(
      places: ReadonlyArray<number>,
      read: (some: ReadonlyArray<number>) => Statement.Statement<R>,
      part: (rows: ReadonlyArray<R>) => A
    ) {
      const parts: Array<A> = []
      for (let from = 0; from < places.length; from += readAtATime) {
        if (from > 0) yield* Effect.yieldNow()
        const rows = (yield* run(read(places.slice(from, from + readAtATime)))) as Array<R>
        // taken out: what a statement answered hangs on its scope, which is let go when V8 collects the whole heap
        while (rows.length > 0) parts.push(part(rows.splice(0, madeAtATime)))
      }
      return parts
    })

    const service: IssueStore["Type"] = {
      path: options.path,
      transaction: db.transaction,
      rows: run(sql<RowShape>`select ${rowColumns} from issues i left join dirty_issues d on d.issue_id = i.id`).pipe(
        Effect.map(rows => rows.map(toMarkedRow))
      ),
      row,
      rowsOf: Effect.fnUntraced(function* (ids) {
        const rows = yield* run(sql<RowShape>`select ${rowColumns} from json_each(${json(ids)}) e
          cross join issues i on i.id = e.value left join dirty_issues d on d.issue_id = i.id order by e.key`)
        return rows.map(toMarkedRow)
      }),
      markedRows: run(sql<RowShape>`select ${rowColumns} from dirty_issues d join issues i on i.id = d.issue_id`).pipe(
        Effect.map(rows => rows.map(toMarkedRow))
      ),
      hasMarks: run(sql<{ marked: number }>`select exists (select 1 from dirty_issues) as marked`).pipe(
        Effect.map(rows => rows[0]?.marked === 1)
      ),
      unlike: (file, parts) =>
        db.once(
          Effect.gen(function* () {
            const found: Array<number> = []
            let number = 0
            for (const some of portions(parts)) {
              const from = some[0]?.start ?? 0
              const bytes = file.subarray(from, some[some.length - 1]?.end)
              // SQL counts from 1
              const at = json(
                some.map(part => [part.from, part.below ?? null, part.start - from + 1, part.end - part.start])
              )
              const rows = yield* run(
                // a blob is greater than every text
                sql<{ at: number }>`with part (at, low, high, start, length) as
                    (select key, value ->> 0, coalesce(value ->> 1, x''), value ->> 2, value ->> 3 from json_each(${at}))
                  select at from part
                  where exists (select 1 from dirty_issues where issue_id >= low and issue_id < high)
                    or cast(substr(${bytes}, start, length) as text) is not
                      (select group_concat(line, char(10)) from
                        (select line from issues where id >= low and id < high order by id))
                  order by at`
              )
              for (const row of rows) found.push(number + row.at)
              number += some.length
            }
            return found
          })
        ),
      differing: Effect.fnUntraced(function* (file, places, { below, from: low }) {
        const compared: Array<ComparedRow> = []
        for (const some of portions(places)) {
          const from = some[0]?.start ?? 0
          const part = file.subarray(from, some[some.length - 1]?.end)
          // SQL counts from 1
          const at = json(some.map(({ end, id, start }) => [id, start - from + 1, end - start]))
          // the file leads: each of its lines finds its row by an index, which the other way round it would not
          const rows = yield* run(
            sql<ComparedRow>`with file (id, start, length) as materialized
                (select value ->> 0, value ->> 1, value ->> 2 from json_each(${at}))
              select f.id as place, ${rowColumns} from file f left join issues i on i.id = f.id
                left join dirty_issues d on d.issue_id = f.id
              where i.id is null or d.revision is not null
                or i.line <> cast(substr(${part}, f.start, f.length) as text)`
          )
          for (const row of rows) compared.push(row)
        }
        const found = compared.flatMap(row => (row.id === null ? [] : [row]))
        const unknown = compared.flatMap(({ id, place }) => (id === null ? [place] : []))
        const missing = yield* run(
          sql<RowShape>`select ${rowColumns} from issues i left join dirty_issues d on d.issue_id = i.id
            where i.id >= ${low} and ${below === undefined ? sql`true` : sql`i.id < ${below}`}
              and i.id not in (select value from json_each(${json(places.map(({ id }) => id))}))`
        )
        return { rows: [...found, ...missing].map(toMarkedRow), unknown }
      }),
      hasRenamed: run(
        sql<{ renamed: number }>`select exists
          (select 1 from issues where status = 'tombstone' and instr(line, '"renamed_to"') > 0) as renamed`
      ).pipe(Effect.map(rows => rows[0]?.renamed === 1)),
      ids: of =>
        run(
          sql<{ id: string }>`select id from issues where (status = 'tombstone') = ${of === "tombstones" ? 1 : 0}`
        ).pipe(Effect.map(rows => rows.map(({ id }) => id))),
      // a child's id ends with a point and digits; both counts read nothing but indexes, unless there are children
      roots: run(
        sql<{ n: number }>`select (select count(*) from issues where status <> 'tombstone')
          - (select count(*) from issues where status <> 'tombstone' and id in
            (select id from issues where rtrim(id, '0123456789') glob '*.' and id not glob '*.')) as n`
      ).pipe(Effect.map(rows => rows[0]?.n ?? 0)),
      ready: Effect.fnUntraced(function* (query) {
        const since = Instant.sortable(new Date(Date.parse(query.now) - Readiness.recentMillis).toISOString())
        const isRecent = sql`i.created_at >= ${since}`
        const order = {
          priority: sql`i.priority`,
          oldest: sql`i.created_at`,
          hybrid: sql`case when ${isRecent} then 0 else 1 end, case when ${isRecent} then i.priority else 0 end`
        }[query.sort]
        const rows = yield* run(
          sql<{ id: string; total: number }>`with recursive
              unfinished (id) as materialized (select id from issues where status not in ('closed', 'tombstone')),
              blocked (id) as (
                select d.issue_id from dependencies d
                  -- the sign keeps it from looking up every pair of unfinished issues
                  where d.type = 'blocks' and +d.depends_on_id in unfinished and +d.issue_id in unfinished
                union
                -- in this order, each step by an index: else a long chain takes the square of its length
                select d.issue_id from blocked b
                  cross join dependencies d on d.depends_on_id = b.id and d.type = 'parent-child'
                  cross join issues child on child.id = d.issue_id and child.status <> 'tombstone')
            select i.id, count(*) over () as total from issues i
            where i.status in ('open', ${query.includeInProgress === true ? "in_progress" : "open"})
              and i.id not in blocked and ${conditions(query)}
            order by ${order}, i.created_at, i.id limit ${limitOf(query)}`
        )
        return { ids: rows.map(({ id }) => id), total: rows[0]?.total ?? 0 }
      }),
      find: Effect.fnUntraced(function* (filter) {
        const where = conditions(filter)
        const limit = limitOf(filter)
        const rows = yield* run(sql<FoundRow>`select i.id, i.line, i.revision,
            (select count(*) from dependencies d where d.issue_id = i.id) as "dependencyCount",
            (select count(*) from dependencies d join issues x on x.id = d.issue_id
              where d.depends_on_id = i.id and x.status <> 'tombstone') as "dependentCount"
          from issues i where ${where} order by i.priority, i.created_at desc, i.id limit ${limit}`)
        if (limit === -1 || rows.length < limit) return { rows, total: rows.length }
        const count = yield* run(sql<{ n: number }>`select count(*) as n from issues i where ${where}`)
        return { rows, total: count[0]?.n ?? rows.length }
      }),
      findParts: (filter, part) =>
        db.snapshot(
          Effect.gen(function* () {
            const where = conditions(filter)
            // the sign has them sorted out of an index that holds no lines
            const places = yield* placesOf(
              sql`select json_group_array(i.rowid order by +i.priority, i.created_at desc, i.id) as places
                from issues i where ${where}`
            )
            // few are deleted: of all that links to an issue an index tells the number
            const linkedFromDeleted = new Map(
              (yield* run(
                sql<{ id: string; n: number }>`select d.depends_on_id as id, count(*) as n from issues i
                  join dependencies d on d.issue_id = i.id where i.status = 'tombstone' group by d.depends_on_id`
              )).map(({ id, n }) => [id, n])
            )
            const parts = yield* inParts(
              places,
              some => sql<FoundRow>`select i.id, i.line, i.revision,
                  (select count(*) from dependencies d where d.issue_id = i.id) as "dependencyCount",
                  (select count(*) from dependencies d where d.depends_on_id = i.id) as "dependentCount"
                from json_each(${json(some)}) e cross join issues i on i.rowid = e.value order by e.key`,
              rows =>
                part(
                  rows.map(row => {
                    const gone = linkedFromDeleted.get(row.id)
                    return gone === undefined ? row : { ...row, dependentCount: row.dependentCount - gone }
                  })
                )
            )
            return { parts, total: places.length }
          })
        ),
      lineParts: (statuses, part) =>
        db.snapshot(
          Effect.gen(function* () {
            const places = yield* placesOf(
              sql`select json_group_array(i.rowid order by i.id) as places from issues i where ${
                statuses === undefined ? sql`true` : sql`i.status in (select value from json_each(${json(statuses)}))`
              }`
            )
            return yield* inParts(
              places,
              some => sql<{ readonly line: string }>`select i.line from json_each(${json(some)}) e
                cross join issues i on i.rowid = e.value order by e.key`,
              rows =>
                part(
                  rows.map(({ line }) => line),
                  places.length
                )
            )
          })
        ),
      graph: Effect.gen(function* () {
        // as arrays, which take half the time of objects with named columns
        const rows = yield* values(sql`select id, status, priority, created_at from issues where status <> 'tombstone'`)
        const edges = yield* values(sql`select issue_id, depends_on_id, type from dependencies`)
        return {
          rows: (rows as ReadonlyArray<GraphRow>).map(toGraphRow),
          edges: (edges as ReadonlyArray<GraphEdge>).map(toEdge)
        }
      }),
      withExternalRefs: Effect.fnUntraced(function* (refs) {
        const rows = yield* run(sql<RowShape>`select ${rowColumns} from issues i
          left join dirty_issues d on d.issue_id = i.id
          where i.external_ref in (select value from json_each(${json(refs)})) order by i.created_at, i.id`)
        return rows.map(toMarkedRow)
      }),
      dependents: id =>
        run(sql<Edge>`select issue_id as "issueId", depends_on_id as "dependsOnId", type from dependencies
          where depends_on_id = ${id} order by issue_id, type`),
      labels: run(sql<{ label: string; count: number }>`select label, count(*) as count from labels l
        join issues i on i.id = l.issue_id where i.status <> 'tombstone' group by label order by label`),
      versions: Effect.fnUntraced(function* (id) {
        const nodes = yield* run(
          sql<{ hash: string; line: string }>`select hash, line from issue_versions where issue_id = ${id} order by seq`
        )
        const edges = yield* run(
          sql<{ hash: string; parent: string }>`select hash, parent from version_parents where issue_id = ${id}`
        )
        return nodes.map(({ hash, line }) => ({
          hash,
          line,
          parents: edges.filter(edge => edge.hash === hash).map(({ parent }) => parent)
        }))
      }),
      fileRecord: run(
        sql<{ hash: string; size: number; stamp: string; settled: number }>`select hash, size, stamp, settled
          from file_record`
      ).pipe(
        Effect.map(rows =>
          Option.map(Option.fromNullable(rows[0]), (found): FileRecord => ({ ...found, settled: found.settled === 1 }))
        )
      ),
      eventCount: Effect.map(run(sql<{ n: number }>`select count(*) as n from events`), ([counted]) => counted?.n ?? 0),
      events: (id, last) =>
        run(sql<
          Record<string, string | null>
        >`select issue_id, event_type, actor, old_value, new_value, comment, created_at
          from events where ${id === undefined ? sql`true` : sql`issue_id = ${id}`} order by id desc limit ${last ?? -1}`).pipe(
          Effect.map(rows =>
            [...rows].reverse().map(
              (event): AuditEvent => ({
                issueId: event.issue_id ?? "",
                type: event.event_type ?? "",
                actor: event.actor ?? "",
                at: event.created_at ?? "",
                ...(event.old_value === null || event.old_value === undefined ? {} : { oldValue: event.old_value }),
                ...(event.new_value === null || event.new_value === undefined ? {} : { newValue: event.new_value }),
                ...(event.comment === null || event.comment === undefined ? {} : { comment: event.comment })
              })
            )
          )
        ),
      schema: Effect.gen(function* () {
        const tables = yield* run(
          sql<{ name: string }>`select name from sqlite_schema where type = 'table' order by name`
        )
        return {
          version: SqliteSchema.version,
          tables: tables.map(({ name }) => name),
          migrations: SqliteSchema.migrations.map(({ description, name }) => ({ name, description }))
        }
      }),
      fullExportNeeded: run(sql<{ value: string }>`select value from metadata where key = 'full_export'`).pipe(
        Effect.map(rows => rows.length > 0)
      ),
      flushRecord: run(
        sql<{ value: string }>`select value from metadata where key in ('last_flush', 'last_failure')`
      ).pipe(
        Effect.map(rows => {
          const found = rows.flatMap(({ value }) => outcomeFrom(value) ?? [])
          return {
            lastFlush: found.find(outcome => outcome._tag === "Flushed"),
            lastFailure: found.find(outcome => outcome._tag === "Failed")
          }
        })
      ),
      write,
      mark,
      unmark,
      forget: ids =>
        Effect.asVoid(run(sql`delete from issues where id in (select value from json_each(${json(ids)}))`)),
      addVersions,
      addEvents: events =>
        events.length === 0
          ? Effect.void
          : Effect.asVoid(
              run(sql`insert into events (issue_id, event_type, actor, old_value, new_value, comment, created_at)
                select value ->> 'issueId', value ->> 'type', value ->> 'actor', value ->> 'oldValue',
                  value ->> 'newValue', value ->> 'comment', value ->> 'at' from json_each(${json(events)})`)
            ),
      setFileRecord: record =>
        Effect.asVoid(
          run(sql`insert into file_record (one, hash, size, stamp, settled)
            values (1, ${record.hash}, ${record.size}, ${record.stamp}, ${record.settled ? 1 : 0})
            on conflict (one) do update set hash = excluded.hash, size = excluded.size, stamp = excluded.stamp,
              settled = excluded.settled`)
        ),
      setFullExportNeeded: needed =>
        Effect.asVoid(
          needed
            ? run(sql`insert or replace into metadata (key, value) values ('full_export', '1')`)
            : run(sql`delete from metadata where key = 'full_export'`)
        ),
      recordFlush: outcome =>
        Effect.asVoid(
          Effect.zipRight(
            outcome._tag === "Flushed" ? run(sql`delete from metadata where key = 'last_failure'`) : Effect.void,
            run(sql`insert or replace into metadata (key, value)
              values (${outcome._tag === "Flushed" ? "last_flush" : "last_failure"}, ${JSON.stringify(outcome)})`)
          )
        ),
      published: Effect.fnUntraced(function* (rows) {
        if (rows.length === 0) return
        // compare and clear (G14): a row that changed after it was encoded keeps its mark
        yield* run(sql`delete from dirty_issues where (issue_id, revision) in (
          select value ->> 0, value ->> 1 from json_each(${json(rows.map(({ id, revision }) => [id, revision]))}))`)
        const kept = new Set(
          (yield* run(
            sql<{ id: string }>`select issue_id as id from dirty_issues
              where issue_id in (select value from json_each(${json(rows.map(({ id }) => id))}))`
          )).map(({ id }) => id)
        )
        if (kept.size === 0) return
        const bases = rows.filter(({ id }) => kept.has(id)).map(({ id, line }) => [id, line])
        yield* run(sql`update dirty_issues set base = v.value ->> 1
          from json_each(${json(bases)}) v where v.value ->> 0 = issue_id`)
      }),
      nextChild: Effect.fnUntraced(function* (parent) {
        // "/" is the character after "."
        const used = yield* run(
          sql<{ id: string }>`select id from issues where id > ${`${parent}.`} and id < ${`${parent}/`}`
        )
        const highest = IssueId.highestChild(
          parent,
          used.map(({ id }) => id)
        )
        const rows = yield* run(sql<{ last: number }>`insert into child_counters (parent_id, last_child)
          values (${parent}, ${highest + 1})
          on conflict (parent_id) do update set last_child = max(last_child, ${highest}) + 1
          returning last_child as last`)
        return rows[0]?.last ?? highest + 1
      }),
      raiseChildCounters: last =>
        last.size === 0
          ? Effect.void
          : Effect.asVoid(
              run(sql`insert into child_counters (parent_id, last_child)
                select value ->> 0, value ->> 1 from json_each(${json([...last])}) where true
                on conflict (parent_id) do update set last_child = max(last_child, excluded.last_child)`)
            ),
      touch:
        options.path === ":memory:"
          ? Effect.void
          : Effect.flatMap(Clock.currentTimeMillis, now =>
              Effect.try(() => utimesSync(options.path, now / 1000, now / 1000))
            ).pipe(Effect.ignore)
    }
    return service
  })

/** The store in a file. Opening fails with `StoreError` (exit 8): `foreign`, `newer`, `corrupt`, `readonly`, `io`. */
export const layer = (options: SqliteSchema.Options): Layer.Layer<IssueStore, StoreError> =>
  Layer.scoped(IssueStore, make(options))

/** SQLite in memory: the same statements, nothing on disk. */
export const layerMemory: Layer.Layer<IssueStore, StoreError> = layer({ path: ":memory:" })
