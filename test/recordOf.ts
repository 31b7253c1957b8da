/** Records for tests, by the codec of the issue file. */
import type * as IssueRecord from "../src/domain/IssueRecord.ts"
import * as IssueLine from "../src/issue-file/IssueLine.ts"

/** The record of a line; throws if the line cannot be read. */
export const recordOf = (line: string | Uint8Array): IssueRecord.IssueRecord => {
  const decoded = IssueLine.decode(line)
  if (IssueLine.isUnreadable(decoded)) throw new Error(`unreadable: ${decoded.reason}`)
  return decoded
}
