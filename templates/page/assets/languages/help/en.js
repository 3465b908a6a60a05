/** English, of the keyboard shortcuts. */
export const words = {
  keyList: {
    "/": "Filter",
    "?": "Show keyboard shortcuts",
    "↓ ↑": "Move between rows",
    "← →": "Close or open a folder",
    "Home End": "Go to the first or last row",
    "Enter": "Open; in the filter box, open the first result",
    "Space": "Select, or activate the focused control",
    "Shift+Space": "Select from the last selected row to this one",
    "Del": "Delete this row's tag, or all selected tags",
    "Esc": "Clear the filter, close a dialog",
  },
};
