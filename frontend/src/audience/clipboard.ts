/**
 * Parts carried from one place to another, also to another page or into a chat: as text for people, as JSON beside it.
 * Works without the clipboard permission: the browser's own copy and paste events carry the data.
 */
import type { Json } from "./tree";

const KIND = "application/x-hongyan-audience";
const KEPT = "hongyan-audience-part"; // for pasting by button where the browser does not let pages read

export interface Carried {
  tree: Json;
  text: string;
}

/** Puts a part onto the clipboard; true when the browser took it. */
export function carry(part: Carried): boolean {
  const put = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData?.setData("text/plain", part.text);
    event.clipboardData?.setData(KIND, JSON.stringify(part.tree));
  };
  document.addEventListener("copy", put, { capture: true, once: true });
  const took = document.execCommand("copy");
  document.removeEventListener("copy", put, { capture: true });
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(part.tree));
  } catch {
    // private windows may refuse storage; the clipboard itself has it
  }
  return took;
}

/** What was carried, for a paste by button. */
export function carried(): Json | undefined {
  try {
    return parsed(sessionStorage.getItem(KEPT) ?? "");
  } catch {
    return undefined;
  }
}

/** What a paste event brings: a tree, or text that the server has to read. */
export function brought(event: ClipboardEvent): { tree?: Json; text: string } {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const tree = parsed(event.clipboardData?.getData(KIND) ?? "") ?? parsed(text);
  return tree === undefined ? { text } : { tree, text };
}

function parsed(text: string): Json | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
