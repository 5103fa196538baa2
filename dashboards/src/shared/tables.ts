/** A table as a file for a spreadsheet: CSV or an Excel workbook. No cell ever becomes a formula. */
export type Cell = string | number | boolean | null

export interface Table {
  /** Of the file, without its ending. */
  name: string
  heads: readonly string[]
  rows: readonly (readonly Cell[])[]
}

/** The byte order mark tells Excel that it is UTF-8. */
export function asCsv({ heads, rows }: Table): string {
  return `\uFEFF${[heads, ...rows].map((line) => line.map(csvCell).join(',')).join('\r\n')}\r\n`
}

/** Quoted, and never a formula: a shop's name may begin with an equals sign. */
function csvCell(cell: Cell): string {
  const text = cell === null ? '' : String(cell)
  const plain = typeof cell === 'string' && /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

/** A workbook. Text is stored as text, whatever it begins with; the library comes when the first one is asked for. */
export async function asWorkbook({ name, heads, rows }: Table): Promise<Blob> {
  const { default: write } = await import('write-excel-file/universal')
  const head = heads.map((value) => ({ value, type: String, fontWeight: 'bold' as const }))
  const cells = rows.map((row) => row.map((value) => (value === null ? null : typeof value === 'string' ? { value: clean(value), type: String } : value)))
  return write([head, ...cells], { sheet: sheetName(name), stickyRowsCount: 1 }).toBlob()
}

/** A workbook is XML, which has no place for most control characters. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '')
}

/** Excel takes 31 characters and none of these. */
function sheetName(name: string): string {
  return name.replace(/[\\/*?:[\]]/g, ' ').slice(0, 31) || 'table'
}

export async function save(table: Table, form: 'csv' | 'xlsx'): Promise<void> {
  const file = form === 'csv' ? new Blob([asCsv(table)], { type: 'text/csv;charset=utf-8' }) : await asWorkbook(table)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = `${table.name}.${form}`
  link.click()
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
