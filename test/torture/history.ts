/**
 * Whether a history of calls is linearisable, with the audit trail as the witness order.
 *
 * Every change writes its event in its own transaction, so the order of the events is the order of the commits. Replayed,
 * they must chain (each event begins from the line that the one before it left), do to an issue exactly what the call
 * was asked to do, yield what each call answered, and keep to real time: what ended before another call began comes
 * before it. A call without an event, a read, a refusal or a change of nothing, must be right at some moment between its
 * beginning and its end. Herlihy and Wing, "Linearizability" (1990); with the order given, checking is linear.
 */

/** What a call asks for. */
export type Operation =
  | { readonly _tag: "create"; readonly title: string }
  | { readonly _tag: "set"; readonly id: string; readonly field: "title" | "design"; readonly value: string }
  | { readonly _tag: "append"; readonly id: string; readonly text: string }
  | { readonly _tag: "compare"; readonly id: string; readonly stamp: string; readonly value: string }
  | { readonly _tag: "claim"; readonly id: string }
  | { readonly _tag: "close"; readonly id: string; readonly reason: string }
  | { readonly _tag: "reopen"; readonly id: string }
  | { readonly _tag: "delete"; readonly id: string }
  | { readonly _tag: "undelete"; readonly id: string }
  | { readonly _tag: "label"; readonly id: string; readonly label: string }
  | { readonly _tag: "link"; readonly id: string; readonly on: string }
  | { readonly _tag: "comment"; readonly id: string; readonly text: string }
  | { readonly _tag: "import"; readonly id: string; readonly title: string }
  | { readonly _tag: "show"; readonly id: string }

/** A call, and what came of it. Times are of one clock. */
export interface Call {
  readonly actor: string
  readonly operation: Operation
  readonly start: number
  readonly end: number
  /** Its exit code; `undefined` if it was killed, and nobody knows. */
  readonly exitCode: number | undefined
  /** The issue it answered with, if any. */
  readonly answer?: Fields | undefined
}

/** An event of the audit trail, in the order of the trail. */
export interface Event {
  readonly issueId: string
  readonly type: string
  readonly actor: string
  readonly oldValue: string | null
  readonly newValue: string | null
}

/** An issue as its line or `--json` shows it. */
export type Fields = Readonly<Record<string, unknown>>

/** What `import` reads: the issue in full. */
export const importedFields = ({ id, title }: { readonly id: string; readonly title: string }): Fields => ({
  id,
  title,
  status: "open",
  priority: 2,
  issue_type: "task",
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z"
})

export const importedLine = (issue: { readonly id: string; readonly title: string }): string =>
  `${JSON.stringify(importedFields(issue))}\n`

/** What is compared of an issue: whatever the operations touch. */
interface State {
  readonly title: string
  readonly design: string
  readonly notes: string
  readonly status: string
  readonly assignee: string
  readonly reason: string
  readonly labels: ReadonlyArray<string>
  readonly comments: ReadonlyArray<string>
  readonly links: ReadonlyArray<string>
  readonly stamp: string
}

const list = (value: unknown): ReadonlyArray<Record<string, unknown>> =>
  Array.isArray(value) ? (value as ReadonlyArray<Record<string, unknown>>) : []

const stateOf = (fields: Fields): State => {
  const text = (key: string) => String(fields[key] ?? "")
  return {
    title: text("title"),
    design: text("design"),
    notes: text("notes"),
    status: text("status"),
    assignee: text("assignee"),
    reason: text("close_reason"),
    labels: Array.isArray(fields["labels"]) ? [...(fields["labels"] as Array<string>)].sort() : [],
    comments: list(fields["comments"]).map(comment => `${comment["author"]}: ${comment["text"]}`),
    // a line has the ends of its dependencies, `show` the issues there
    links: list(fields["dependencies"])
      .map(link => String(link["depends_on_id"] ?? link["id"]))
      .sort(),
    stamp: text("updated_at")
  }
}

const refused = (exitCode: number) => ({ _tag: "Refused", exitCode }) as const
const becomes = (state: State) => ({ _tag: "Becomes", state }) as const

/** What an operation must do to an issue in this state; its stamp is left to the caller. */
const specified = (
  operation: Operation,
  actor: string,
  before: State | undefined,
  isAlive: (id: string) => boolean
) => {
  if (operation._tag === "create" || operation._tag === "import") {
    if (before !== undefined) return refused(5)
    return becomes({ ...stateOf({ status: "open" }), title: operation.title })
  }
  if (before === undefined) return refused(3)
  if (operation._tag === "undelete") {
    return becomes(
      before.status === "tombstone" ? { ...before, status: before.reason === "" ? "open" : "closed" } : before
    )
  }
  // what is deleted already is as it was asked for
  if (before.status === "tombstone") return operation._tag === "delete" ? becomes(before) : refused(3)
  switch (operation._tag) {
    case "show":
      return becomes(before)
    case "set":
      return becomes({ ...before, [operation.field]: operation.value })
    case "append":
      return becomes({ ...before, notes: before.notes === "" ? operation.text : `${before.notes}\n${operation.text}` })
    case "compare":
      return before.stamp === operation.stamp ? becomes({ ...before, design: operation.value }) : refused(5)
    case "claim":
      return (before.assignee === "" || before.assignee === actor) && before.status !== "closed"
        ? becomes({ ...before, assignee: actor, status: "in_progress" })
        : refused(5)
    case "close":
      return becomes(before.status === "closed" ? before : { ...before, status: "closed", reason: operation.reason })
    case "reopen":
      return becomes(before.status === "open" ? before : { ...before, status: "open", reason: "" })
    case "delete":
      return becomes({ ...before, status: "tombstone" })
    case "label":
      return becomes({ ...before, labels: [...new Set([...before.labels, operation.label])].sort() })
    case "link":
      if (!isAlive(operation.on)) return refused(3)
      return becomes({ ...before, links: [...new Set([...before.links, operation.on])].sort() })
    case "comment":
      return becomes({ ...before, comments: [...before.comments, `${actor}: ${operation.text}`] })
  }
}

const same = (one: State, other: State): boolean =>
  JSON.stringify({ ...one, stamp: "" }) === JSON.stringify({ ...other, stamp: "" })

/** Whether an answer shows a state. `show` lists the issues at the other ends, and so leaves out those that are deleted. */
const shows = (operation: Operation, answer: Fields, state: State): boolean =>
  same(
    operation._tag === "show" ? { ...stateOf(answer), links: [] } : stateOf(answer),
    operation._tag === "show" ? { ...state, links: [] } : state
  )

/** What a history came to. `problems` is empty if it is linearisable. */
export interface Verdict {
  readonly problems: ReadonlyArray<string>
  /** Calls acknowledged, refused and killed, and killed ones that had been committed. */
  readonly acknowledged: number
  readonly refused: number
  readonly killed: number
  readonly killedCommitted: number
  /** Each issue's last line; `undefined` for one that was imported and never changed. */
  readonly last: ReadonlyMap<string, string | undefined>
}

/** Checks a history. */
export const check = (calls: ReadonlyArray<Call>, events: ReadonlyArray<Event>): Verdict => {
  const problems: Array<string> = []
  const describe = ({ actor, operation, exitCode }: Call) => `${actor} ${JSON.stringify(operation)} (exit ${exitCode})`

  // the states of each issue, from which event on, and each actor's events
  const states = new Map<string, Array<{ readonly from: number; readonly state: State }>>()
  const last = new Map<string, string | undefined>()
  const eventsOf = new Map<string, Array<number>>()
  const imported = new Map(
    calls.flatMap(({ operation }) => (operation._tag === "import" ? [[operation.id, operation.title] as const] : []))
  )
  for (const [index, { actor, issueId, newValue, oldValue, type }] of events.entries()) {
    const before = last.get(issueId)
    const isThere = last.has(issueId)
    if (oldValue === null ? isThere : !isThere || (before !== undefined && before !== oldValue)) {
      problems.push(`event ${index} (${type} of ${issueId} by ${actor}) does not begin where the one before it ended`)
    }
    if (newValue === null && type !== "imported") problems.push(`event ${index} (${type} of ${issueId}) has no line`)
    // of an import the trail keeps no line
    const fields =
      newValue === null
        ? importedFields({ id: issueId, title: imported.get(issueId) ?? "" })
        : (JSON.parse(newValue) as Fields)
    const history = states.get(issueId) ?? []
    history.push({ from: index, state: stateOf(fields) })
    states.set(issueId, history)
    last.set(issueId, newValue ?? undefined)
    eventsOf.set(actor, [...(eventsOf.get(actor) ?? []), index])
  }
  const stateBefore = (id: string, index: number) => states.get(id)?.findLast(({ from }) => from < index)?.state
  const specifiedAt = ({ actor, operation }: Call, id: string, index: number) =>
    specified(operation, actor, stateBefore(id, index), on => {
      const target = stateBefore(on, index)
      return target !== undefined && target.status !== "tombstone"
    })

  // real time, among the calls that have an event: each call has one at most
  const placed = calls.flatMap(call => {
    const own = eventsOf.get(call.actor) ?? []
    if (own.length > 1) problems.push(`${describe(call)} has ${own.length} events`)
    return own[0] === undefined ? [] : [{ call, index: own[0] }]
  })
  const unknown = events.findIndex(({ actor }) => !calls.some(call => call.actor === actor))
  if (unknown >= 0) problems.push(`event ${unknown} belongs to no call`)
  const byEnd = placed.toSorted((a, b) => a.call.end - b.call.end)
  const byStart = placed.toSorted((a, b) => a.call.start - b.call.start)
  /** The last event of a call that had ended before `at`; -1 if none. */
  const endedBefore = (at: number): number => {
    let latest = -1
    for (const { call, index } of byEnd) {
      if (call.end >= at) break
      latest = Math.max(latest, index)
    }
    return latest
  }
  /** The first event of a call that began after `at`. */
  const begunAfter = (at: number): number => {
    let earliest = events.length
    for (const { call, index } of byStart.toReversed()) {
      if (call.start <= at) break
      earliest = Math.min(earliest, index)
    }
    return earliest
  }
  for (const { call, index } of placed) {
    const before = endedBefore(call.start)
    if (before > index) problems.push(`${describe(call)} is before event ${before}, whose call had ended already`)
  }

  let acknowledged = 0
  let refusedCalls = 0
  let killed = 0
  let killedCommitted = 0
  for (const call of calls) {
    const { answer, exitCode, operation } = call
    const index = eventsOf.get(call.actor)?.[0]
    if (exitCode === undefined) killed++
    else if (exitCode === 0) acknowledged++
    else refusedCalls++

    if (index !== undefined) {
      if (exitCode === undefined) killedCommitted++
      else if (exitCode !== 0) problems.push(`${describe(call)} was refused, and changed something`)
      const event = events[index]
      const id = event?.issueId ?? ""
      const result = specifiedAt(call, id, index)
      const after = stateBefore(id, index + 1)
      if (result._tag === "Refused") problems.push(`${describe(call)} had to be refused with ${result.exitCode}`)
      else if (after === undefined || !same(result.state, after)) {
        problems.push(
          `${describe(call)} made\n  ${JSON.stringify(after)} instead of\n  ${JSON.stringify(result.state)}`
        )
      }
      if ("id" in operation && operation.id !== id) problems.push(`${describe(call)} changed ${id}`)
      if (answer !== undefined && after !== undefined && !shows(operation, answer, after)) {
        problems.push(`${describe(call)} answered\n  ${JSON.stringify(answer)} instead of\n  ${JSON.stringify(after)}`)
      }
      continue
    }
    if (exitCode === undefined) continue
    if (!("id" in operation)) {
      problems.push(`${describe(call)} left no event`)
      continue
    }
    // right at some moment between its beginning and its end
    const first = endedBefore(call.start) + 1
    const moments = Array.from({ length: begunAfter(call.end) - first + 1 }, (_, i) => first + i)
    const fits = moments.some(moment => {
      const state = stateBefore(operation.id, moment)
      const result = specifiedAt(call, operation.id, moment)
      if (result._tag === "Refused") return exitCode === result.exitCode
      if (exitCode !== 0 || state === undefined || !same(result.state, state)) return false
      return answer === undefined || shows(operation, answer, state)
    })
    if (!fits)
      problems.push(`${describe(call)} fits no moment between its beginning and its end: ${JSON.stringify(answer)}`)
  }
  return { problems, acknowledged, refused: refusedCalls, killed, killedCommitted, last }
}
