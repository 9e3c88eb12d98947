// must fail: ignoring return.*nodiscard|nodiscard
#include <seriatim/seriatim.hpp>

seriatim::Result<> change(const seriatim::Admin& admin) {
#ifdef MISUSE
  admin.delete_topic("orders");
#endif
  return admin.delete_topic("orders");
}
