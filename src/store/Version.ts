/** How versions of lines, and whole files, are named: by their SHA-256, lower-case hex. */
import { createHash } from "node:crypto"

export const versionHash = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex")
