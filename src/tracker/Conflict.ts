import * as Schema from "effect/Schema"

/** What was asked for clashes with what is there: claimed, changed since, id taken. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", {
  id: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.id}: ${this.detail}`
  }
}
