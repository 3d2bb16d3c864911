#include <nn/network/summary.hpp>

#include <nn/network/network.hpp>
#include <tests/catch.hpp>

TEST_CASE("the summary of a network counts what training learns, what it measures, and the bytes") {
  const nn::network<float> net(
      autodiff::shape{28, 28},
      {nn::flatten{}, nn::dense(128, nn::relu), nn::batch_norm{}, nn::dropout(0.2),
       nn::residual({nn::dense(128, nn::tanh), nn::layer_norm{}}),
       nn::dense(10, nn::softmax, nn::bias::without)},
      nn::seed{1});
  CHECK(nn::summary(net) ==
        "layer                            output       learned  measured    bytes\n"
        "-------------------------------  -----------  -------  --------  -------\n"
        "input                            [n, 28, 28]        0         0        0\n"
        "0 flatten                        [n, 784]           0         0        0\n"
        "1 dense 128 relu                 [n, 128]     100,480         0  401,920\n"
        "2 batch_norm                     [n, 128]         256       256    2,048\n"
        "3 dropout 0.2                    [n, 128]           0         0        0\n"
        "4 residual                       [n, 128]      16,768         0   67,072\n"
        "  0 dense 128 tanh               [n, 128]      16,512         0   66,048\n"
        "  1 layer_norm                   [n, 128]         256         0    1,024\n"
        "5 dense 10 softmax without bias  [n, 10]        1,280         0    5,120\n"
        "-------------------------------  -----------  -------  --------  -------\n"
        "total                            [n, 10]      118,784       256  476,160\n");
}

TEST_CASE("doubles take twice the bytes in a summary") {
  const nn::network<double> net(2, {nn::dense(1)}, nn::seed{1});
  CHECK(nn::summary(net) ==
        "layer               output  learned  measured  bytes\n"
        "------------------  ------  -------  --------  -----\n"
        "input               [n, 2]        0         0      0\n"
        "0 dense 1 identity  [n, 1]        3         0     24\n"
        "------------------  ------  -------  --------  -----\n"
        "total               [n, 1]        3         0     24\n");
}
