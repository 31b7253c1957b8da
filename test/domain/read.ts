/** Records for tests of the domain, which knows no codec: what a line says is not judged. */
import type * as IssueRecord from "../../src/domain/IssueRecord.ts"
import * as JsonText from "../../src/domain/JsonText.ts"

export const read = (line: string): IssueRecord.IssueRecord => {
  const members = JsonText.members(line)
  const id = JsonText.decodeString(members.find(({ key }) => key === "id")?.value)
  return { id: id ?? "", members, source: line }
}
