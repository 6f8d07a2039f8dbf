// The initials lie behind the logo, and show where it cannot be loaded.
const logo = document.getElementById("logo");
if (logo) {
  const remove = () => logo.remove();
  if (logo.complete && !logo.naturalWidth) remove();
  logo.addEventListener("error", remove);
}
