/** Is the keyboard in use for text? Then single-key shortcuts keep still. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable=true], dialog[open]") !== null
  );
}
