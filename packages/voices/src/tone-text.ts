/**
 * Directives of the test engine, anywhere in its text, not spoken:
 *
 *   {{tone:fail}}  {{tone:nan}}  {{tone:crash}}  {{tone:hang}}  {{tone:slow=2}}  {{tone:hog=100}}
 *
 * `@4000` before the closing braces: at sample 4000 instead of the beginning (past the end: after the last sample).
 * `crash=1`, `hang=1`: only in an engine process that has been restarted fewer than 1 times.
 * `hog=100`: takes 100 MB of memory until the end of the sentence.
 * `slow=2`: two seconds of waiting per second of audio.
 */
export interface ToneDirective {
  readonly kind: 'fail' | 'nan' | 'crash' | 'hang' | 'hog';
  readonly at: number;
  readonly incarnations: number;
  readonly value: number;
}

const pattern = /\s*\{\{tone:(fail|nan|crash|hang|hog|slow)(?:=(\d+(?:\.\d+)?))?(?:@(\d+))?\}\}/g;

export function parseToneText(text: string): {
  spoken: string;
  directives: ToneDirective[];
  slow: number | undefined;
} {
  const directives: ToneDirective[] = [];
  let slow: number | undefined;
  const spoken = text
    .replace(pattern, (_, kind: ToneDirective['kind'] | 'slow', value?: string, at?: string) => {
      if (kind === 'slow') slow = Number(value ?? 1);
      else
        directives.push({
          kind,
          at: Number(at ?? 0),
          incarnations: value === undefined || kind === 'hog' ? Infinity : Number(value),
          value: Number(value ?? 0),
        });
      return '';
    })
    .trim();
  return { spoken, directives: directives.sort((a, b) => a.at - b.at), slow };
}
