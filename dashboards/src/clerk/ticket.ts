/** A ticket that the phone makes itself, so that its customer sees it at once, node or no node. Sends nothing. */

/** Without 0 O 1 I L, which a person mistakes when reading a ticket aloud: as the node's own. */
const LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const RANDOM_LETTERS = 5
const TOKEN_BYTES = 32

export interface NewTicket {
  /** To be read aloud, such as 1120-7KM3Q: month, day, and chance. */
  ticket: string
  /** The secret behind its QR: nobody guesses it, as somebody might a number. */
  token: string
}

export function newTicket(now: Date): NewTicket {
  const day = `${now.getMonth() + 1}`.padStart(2, '0') + `${now.getDate()}`.padStart(2, '0')
  const token = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))))
  return {
    ticket: `${day}-${Array.from({ length: RANDOM_LETTERS }, oneLetter).join('')}`,
    token: token.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, ''),
  }
}

function oneLetter(): string {
  // The last few values of a byte would make the first letters likelier.
  const most = 256 - (256 % LETTERS.length)
  for (;;) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
    if (byte < most) return LETTERS[byte % LETTERS.length]!
  }
}
