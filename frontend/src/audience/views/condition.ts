/** The inputs of one condition, by its kind. */
import type { TemplateResult } from "lit";
import type { Condition, Json } from "../tree";
import type { Editing } from "./editing";
import { eventView } from "./event";
import { sequenceView } from "./sequence";
import { consentView, everyoneView, fieldView, namedView, objectView, unknownView } from "./simple";

export function conditionView(item: Condition, editing: Editing, replace: (tree: Json) => void): TemplateResult {
  const { head, body } = item;
  switch (head) {
    case "field":
      return fieldView(body, editing);
    case "tag":
    case "tag_group":
    case "list":
    case "audience":
      return namedView(head, body, editing);
    case "consent":
      return consentView(body, editing);
    case "event":
      return eventView(body, editing);
    case "sequence":
      return sequenceView(body, editing);
    case "object":
      return objectView(body, editing);
    case "everyone":
      return everyoneView();
    case "unknown":
      return unknownView(body, replace);
  }
}
