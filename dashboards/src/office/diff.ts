/** Which lines of a text changed: the longest common sequence of lines stays. Pure. */
export interface Line {
  kind: 'same' | 'added' | 'removed'
  text: string
}

/** Lines around a change that are shown, too. */
const AROUND = 2

/** Every line of both texts, in order: what was removed stands before what came for it. */
export function diffOf(before: string, after: string): Line[] {
  const old = before.split('\n')
  const now = after.split('\n')
  // longest[i][j]: how many lines of old from i and now from j on are common. Playbooks have some dozens.
  const longest = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1))
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      longest[i]![j] = old[i] === now[j] ? longest[i + 1]![j + 1]! + 1 : Math.max(longest[i + 1]![j]!, longest[i]![j + 1]!)
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ kind: 'same', text: old[i]! })
      ;[i, j] = [i + 1, j + 1]
    } else if (i < old.length && (j >= now.length || longest[i + 1]![j]! >= longest[i]![j + 1]!)) {
      lines.push({ kind: 'removed', text: old[i]! })
      i += 1
    } else {
      lines.push({ kind: 'added', text: now[j]! })
      j += 1
    }
  }
  return lines
}

/** What changed with the lines around it; undefined stands for lines that were left out. */
export function shortened(lines: readonly Line[]): (Line | undefined)[] {
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ kind }) => kind !== 'same'))
  return lines.flatMap((line, at) => (near[at] ? [line] : at === 0 || near[at - 1] ? [undefined] : []))
}

export function isChanged(lines: readonly Line[]): boolean {
  return lines.some(({ kind }) => kind !== 'same')
}
