/** The checker's own teeth: a history in which something is lost, torn or out of order is told. */
import { describe, expect, it } from "vitest"
import { type Call, check, type Event } from "./history.ts"

const line = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ id: "t-1", title: "one", status: "open", updated_at: "1", ...fields })

const created = line({})
const noted = line({ notes: "a", updated_at: "2" })
const both = line({ notes: "a\nb", updated_at: "3" })

const event = (actor: string, type: string, oldValue: string | null, newValue: string): Event => ({
  issueId: "t-1",
  type,
  actor,
  oldValue,
  newValue
})

/** Three calls, one after the other. */
const calls: ReadonlyArray<Call> = [
  {
    actor: "x",
    operation: { _tag: "create", title: "one" },
    start: 0,
    end: 1,
    exitCode: 0,
    answer: JSON.parse(created)
  },
  { actor: "y", operation: { _tag: "append", id: "t-1", text: "a" }, start: 2, end: 3, exitCode: 0 },
  { actor: "z", operation: { _tag: "append", id: "t-1", text: "b" }, start: 4, end: 5, exitCode: 0 }
]

const events: ReadonlyArray<Event> = [
  event("x", "created", null, created),
  event("y", "updated", created, noted),
  event("z", "updated", noted, both)
]

const problemsOf = (changed: { calls?: ReadonlyArray<Call>; events?: ReadonlyArray<Event> }) =>
  check(changed.calls ?? calls, changed.events ?? events).problems.join("\n")

describe("the checker of histories", () => {
  it("finds nothing in a history that is right", () => {
    expect(check(calls, events)).toMatchObject({ problems: [], acknowledged: 3, refused: 0, killed: 0 })
  })

  it("tells a lost update", () => {
    const lost = line({ notes: "b", updated_at: "3" })
    expect(problemsOf({ events: [...events.slice(0, 2), event("z", "updated", created, lost)] })).toContain(
      "does not begin where the one before it ended"
    )
    expect(problemsOf({ events: [...events.slice(0, 2), event("z", "updated", noted, lost)] })).toContain("instead of")
  })

  it("tells an acknowledged change that left no event", () => {
    expect(problemsOf({ events: events.slice(0, 2) })).toContain("fits no moment")
    expect(problemsOf({ calls: calls.slice(0, 1), events: [] })).toContain("left no event")
  })

  it("tells an order that real time forbids", () => {
    const [first, second, third] = calls
    if (first === undefined || second === undefined || third === undefined) throw new Error("three calls")
    expect(problemsOf({ calls: [first, { ...second, start: 6, end: 7 }, third] })).toContain("had ended already")
    // those that overlap may come in any order
    expect(problemsOf({ calls: [first, { ...second, start: 2, end: 7 }, { ...third, start: 2 }] })).toBe("")
  })

  it("tells a read of a state that was never there in its time", () => {
    const read = (start: number, notes: string): Call => ({
      actor: "r",
      operation: { _tag: "show", id: "t-1" },
      start,
      end: start + 0.5,
      exitCode: 0,
      answer: JSON.parse(line({ notes }))
    })
    expect(problemsOf({ calls: [...calls, read(3.2, "a")] })).toBe("")
    expect(problemsOf({ calls: [...calls, read(3.2, "")] })).toContain("fits no moment")
    expect(problemsOf({ calls: [...calls, read(5.2, "a")] })).toContain("fits no moment")
  })

  it("tells a refusal that changed something, one without a reason, and a winner too many", () => {
    const claim = (actor: string, start: number, exitCode: number): Call => ({
      actor,
      operation: { _tag: "claim", id: "t-1" },
      start,
      end: start + 1,
      exitCode
    })
    const claimed = (actor: string, before: string) =>
      event(actor, "claimed", before, line({ notes: "a\nb", assignee: actor, status: "in_progress" }))
    const won = claimed("p", both)
    expect(problemsOf({ calls: [...calls, claim("p", 6, 0), claim("q", 8, 5)], events: [...events, won] })).toBe("")
    expect(problemsOf({ calls: [...calls, claim("p", 6, 5)] })).toContain("fits no moment")
    expect(problemsOf({ calls: [...calls, claim("p", 6, 5)], events: [...events, won] })).toContain("was refused, and")
    expect(
      problemsOf({
        calls: [...calls, claim("p", 6, 0), claim("q", 8, 0)],
        events: [...events, won, claimed("q", won.newValue ?? "")]
      })
    ).toContain("had to be refused with 5")
  })

  it("a killed call may have changed something or not", () => {
    const killed = calls.map(call => (call.actor === "z" ? { ...call, exitCode: undefined } : call))
    expect(check(killed, events)).toMatchObject({ problems: [], killed: 1, killedCommitted: 1 })
    expect(check(killed, events.slice(0, 2))).toMatchObject({ problems: [], killed: 1, killedCommitted: 0 })
  })
})
