/**
 * A language that nobody speaks, made from the English words: accented, a third longer, in brackets.
 *
 * What a page shows without brackets did not come from the catalogue; what is cut off would be cut
 * off in German, too. Comes only to who asks for `?lang=pseudo`: the tests do.
 */
const ACCENTED: Readonly<Record<string, string>> = Object.fromEntries(
  [...'AÅBƁCÇDÐEÉFḞGĜHĤIÎJĴKĶLĻMḾNÑOÖPṖQǪRŔSŠTŢUÛVṼWŴXẊYÝZŽaåbƀcçdðeéfḟgĝhĥiîjĵkķlļmḿnñoöpṗqǫrŕsštţuûvṽwŵxẋyýzž'.matchAll(/(.)(.)/gu)].map(([, plain, accented]) => [plain, accented]),
)
const LONGER = 0.3

/** Words of the catalogue, their holes as they are. */
export function pseudo(words: string): string {
  const dressed = words.replace(/\{\w+\}|[A-Za-z]/g, (one) => ACCENTED[one] ?? one)
  const letters = words.replace(/\{\w+\}/g, '').length
  return `⟦${dressed}${'·'.repeat(Math.ceil(letters * LONGER))}⟧`
}

/** Words that came as data or from the browser's own calendar: bracketed, and as they are. */
export function asIs(words: string): string {
  return `⟦${words}⟧`
}
