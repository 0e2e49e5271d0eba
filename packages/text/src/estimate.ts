const syllabic = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;

const plain = /^[\p{Script=Latin}\s.,;:!?'"“”‘’()—–-]*$/u;

/** A guess at how long a voice takes to say a text at its own pace. */
export function estimateMs(spoken: string): number {
  if (spoken === '') return 0;
  if (plain.test(spoken))
    return Math.round(100 + spoken.length * 62 + (spoken.split(/[,;:—–] /u).length - 1) * 120);
  const wide = spoken.match(syllabic)?.length ?? 0;
  const digits = spoken.match(/\p{Nd}/gu)?.length ?? 0;
  const pauses = spoken.match(/[,;:—–،、，](?=\s|$)|[，、]/gu)?.length ?? 0;
  return Math.round(100 + (spoken.length - wide - digits) * 62 + wide * 170 + digits * 250 + pauses * 120);
}
