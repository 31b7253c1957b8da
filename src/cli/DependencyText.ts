/** A dependency as it is typed: `[TYPE:]ID`. A colon that follows no word is part of the id. Pure. */
export const read = (text: string): { readonly id: string; readonly type: string } => {
  const colon = text.indexOf(":")
  return colon > 0 ? { type: text.slice(0, colon), id: text.slice(colon + 1) } : { type: "blocks", id: text }
}
