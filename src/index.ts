/**
 * effect-beads for other Effect applications: an issue tracker carried by git, as layers.
 *
 * Each module is a namespace: `Tracker.Tracker` is the tag, `Workspace.layer(options)` the usual assembly.
 */
export * as Issue from "./domain/Issue.ts"
export * as IssueId from "./domain/IssueId.ts"
export * as IssueMerge from "./domain/IssueMerge.ts"
export * as IssueRecord from "./domain/IssueRecord.ts"
export * as Exporter from "./flush/Exporter.ts"
export * as FlushManager from "./flush/FlushManager.ts"
export * as FlushOptions from "./flush/FlushOptions.ts"
export * as IntegrityChecker from "./flush/IntegrityChecker.ts"
export * as Progress from "./flush/Progress.ts"
export * as Reconciler from "./flush/Reconciler.ts"
export * as GitHistory from "./issue-file/GitHistory.ts"
export * as IssueFile from "./issue-file/IssueFile.ts"
export * as IssueLine from "./issue-file/IssueLine.ts"
export * as IssueLock from "./issue-file/IssueLock.ts"
export * as Metrics from "./Metrics.ts"
export * as IssueStore from "./store/IssueStore.ts"
export * as SqliteStore from "./store/SqliteStore.ts"
export * as Testing from "./testing/Testing.ts"
export * as Tracker from "./tracker/Tracker.ts"
export * as Workspace from "./tracker/Workspace.ts"
