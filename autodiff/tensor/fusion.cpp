#include <autodiff/tensor/fusion.hpp>

#include <autodiff/error.hpp>

namespace autodiff::fusion_errors {

void foreign_symbol() {
  throw domain_error("fuse", "a symbol of another call of fuse stands in the expression",
                     "compose the result of the arguments of this call alone");
}

}  // namespace autodiff::fusion_errors
