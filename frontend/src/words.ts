/** Words that behaviours show, in the language of the page. Pages' own words come from the server. */
const chinese = document.documentElement.lang.startsWith("zh");

/** `say("复制", "Copy")`. */
export function say(zh: string, en: string): string {
  return chinese ? zh : en;
}

export const locale = chinese ? "zh-CN" : "en-GB";
