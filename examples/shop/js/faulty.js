/** One error on the console, on purpose. */
console.error("Stock check failed: the warehouse did not answer for two-person-tent");

document.querySelector("#fake-button").addEventListener("click", (event) => {
  event.target.textContent = "Reserved";
});
