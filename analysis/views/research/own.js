// Hands the visitor's placed pair to the map; `props.value` is what the server said.
watch("value", () => {
  if (props.value) dispatchEvent(new CustomEvent("workbench-own", { detail: JSON.parse(props.value) }));
});
